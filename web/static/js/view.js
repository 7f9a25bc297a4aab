/* The map page: which layers are shown, filtered by what, where; the address holds all of it. */
(function () {
  "use strict";

  const {element, loading, note, trouble, sign, counts} = Ancu.tools;

  const CLOSER = 2;  // zooms beyond the finest of a file, which set marks apart

  Ancu.view = function (map, config) {
    const words = config.words;
    const form = document.getElementById("map-form");
    const legend = document.getElementById("legend");
    const status = document.getElementById("map-status");
    const fields = Array.from(form.querySelectorAll("[data-filter] select, [data-filter] input"));
    const boxes = Array.from(form.querySelectorAll("input[name=layers]"));
    const metricField = form.querySelector("[name=metric]");
    const levelField = form.querySelector("[name=level]");  // of the whole country only
    const standard = boxes.filter((box) => box.defaultChecked).map((box) => box.value);
    const drawn = config.saved ? config.layers.filter((one) => config.saved.zooms[one.name]) : config.layers;
    const layers = new Map(drawn.map((one) => [
      one.name, Ancu.records(map, {...one, zooms: config.saved && config.saved.zooms[one.name]})]));
    const totals = new Map();  // layer → number of records, and of each class, with its filters
    const asking = new Map();  // layer → the address whose totals are on their way
    const failures = new Map();  // layer → why its totals could not be had

    /* ---- what is wanted: from the address (or the file), into the form, and back ---- */

    const held = config.saved && config.saved.box && drawn.length ? keepWithin(config.saved.box) : null;

    const home = () => new URLSearchParams(config.saved ? config.saved.query : location.search);
    function read(params) {
      const wanted = params.has("layers") ? params.get("layers").split(",") : standard;
      boxes.forEach((box) => { box.checked = wanted.includes(box.value); });
      metricField.value = config.metrics[params.get("metric")] ? params.get("metric") : Object.keys(config.metrics)[0];
      if (levelField) { levelField.value = params.get("level") === "commune" ? "commune" : ""; }
      fields.forEach((field) => { field.value = params.get(field.name) || ""; });
      renewFields();
      const at = /^(\d{1,2}(?:\.\d+)?)\/(-?\d+(?:\.\d+)?)\/(-?\d+(?:\.\d+)?)$/.exec(params.get("at") || "");
      return at && Math.abs(at[2]) < 85 && Math.abs(at[3]) <= 180 ? [[Number(at[2]), Number(at[3])], Math.min(Number(at[1]), map.getMaxZoom())] : null;
    }
    /* A filter is shown, holds and is in the address while a layer is shown that has it. */
    function renewFields() {
      const labels = Array.from(form.querySelectorAll("[data-filter]"));
      for (const label of labels) {
        label.hidden = !shownLayers().some((layer) => layer.config.filters.includes(label.dataset.filter));
      }
      const all = document.getElementById("map-filters");
      if (all) { all.hidden = labels.every((label) => label.hidden); }
    }
    const level = () => (levelField ? levelField.value : "");
    const checked = () => boxes.filter((box) => box.checked).map((box) => box.value);
    const shownLayers = () => checked().map((name) => layers.get(name)).filter(Boolean);
    const filters = () => fields.filter((field) => field.value.trim() && !field.closest("[hidden]"));
    function address(withPlace) {
      const params = new URLSearchParams();
      if (withPlace) {
        const {lat, lng} = map.getCenter();
        params.set("at", [Number(map.getZoom().toFixed(2)), lat.toFixed(5), lng.toFixed(5)].join("/"));
      }
      params.set("layers", checked().join(","));
      params.set("metric", metricField.value);
      if (withPlace && level()) { params.set("level", level()); }
      filters().forEach((field) => params.set(field.name, field.value.trim()));
      return params.toString().replaceAll("%2F", "/").replaceAll("%2C", ",");
    }
    function remember(push) {
      if (config.saved) { return; }
      const url = location.pathname + "?" + address(true);
      if (push) { history.pushState(null, "", url); } else { history.replaceState(null, "", url); }
      for (const link of document.querySelectorAll(".languages a")) {
        const language = new URL(link.href).searchParams.get("lang");
        link.href = url + "&lang=" + language;
      }
      const save = document.querySelector("[data-act=save]");
      if (save) { save.href = save.pathname + "?" + address(true) + "&box=" + frame(); }
    }
    function frame() {
      const within = (value, most) => Math.max(-most, Math.min(most, value)).toFixed(5);
      const seen = map.getBounds();
      return [within(seen.getWest(), 180), within(seen.getSouth(), 90), within(seen.getEast(), 180), within(seen.getNorth(), 90)].join();
    }

    /* ---- layers of records ---- */

    const used = (layer) => filters().filter((field) => layer.config.filters.includes(field.name));
    const tilesOf = (layer) => layer.config.url + used(layer)
      .map((field) => "&" + field.name + "=" + encodeURIComponent(field.value.trim())).join("");

    function renewLayers() {
      const names = checked();
      for (const [name, layer] of layers) {
        const url = tilesOf(layer);
        if (layer._url !== url) { totals.delete(name); failures.delete(name); layer.setUrl(url, !map.hasLayer(layer)); }
        if (names.includes(name) === map.hasLayer(layer)) { continue; }
        if (names.includes(name)) { layer.addTo(map); } else { layer.remove(); }
      }
      countMissing();
      const clear = form.querySelector("[data-act=clear]");
      if (clear) { clear.hidden = !filters().length; }
      drawLegend();
      tellView();
    }

    /* The tile of the whole world holds every record once: its sums are the totals. */
    const countMissing = () => shownLayers()
      .filter(({config: {name}, _url}) => !totals.has(name) && asking.get(name) !== _url).forEach(count);
    async function count(layer) {
      const {name} = layer.config, url = layer._url;
      let found = null;
      asking.set(name, url);
      failures.delete(name);
      try {
        found = (await layer.ask({x: 0, y: 0, z: 0})).layers;
      } catch (error) {
        if (layer._url === url) { failures.set(name, error); }
      }
      if (asking.get(name) === url) { asking.delete(name); }
      if (found && layer._url === url) { totals.set(name, sumsOf(found)); }
      drawLegend();
      tellView();
    }
    function sumsOf(found) {
      const sums = {count: 0};
      for (const {properties} of Object.values(found).flatMap((one) => one.features)) {
        for (const [field, value] of Object.entries(properties)) {
          if (field !== "id") { sums[field] = (sums[field] || 0) + Number(value); }
        }
      }
      return sums;
    }

    /* The frame in container points; of a file only what it holds of the frame. */
    function seenBox() {
      const frame = L.bounds([0, 0], map.getSize());
      if (!held) { return frame; }
      const [a, b] = [held.getNorthWest(), held.getSouthEast()].map((place) => map.latLngToContainerPoint(place));
      return L.bounds([Math.max(a.x, frame.min.x), Math.max(a.y, frame.min.y)], [Math.min(b.x, frame.max.x), Math.min(b.y, frame.max.y)]);
    }
    /* How many records of a layer stand in the frame, and whether any are in groups; null while
       that is not known. */
    function inView(layer) {
      const whole = map.hasLayer(layer) && layer._tileZoom !== undefined && layer.isDrawn() && !layer.failure();
      if (!whole) { return {all: null, grouped: false}; }
      const seen = seenBox();
      let all = 0, grouped = false;
      for (const tile of layer.tilesShown()) {
        for (const mark of Object.values(tile._layers)) {
          if (!seen.contains(map.layerPointToContainerPoint(layer.placeOf(tile, mark)))) { continue; }
          all += Number(mark.properties.count || 1);
          grouped = grouped || mark.properties.count !== undefined;
        }
      }
      return {all, grouped};
    }

    const asFineAsHeld = (layer) => config.saved && map.getZoom() >= layer.config.zooms[1];
    const told = (number) => (number === null || number === undefined ? "–" : counts.format(number));
    /* What is missing of all that is shown: the first failure, or nothing. */
    function failure() {
      return shownLayers().flatMap((layer) => [failures.get(layer.config.name), layer.failure()]).concat(areas.failure()).find(Boolean);
    }
    function tellView() {
      const lines = shownLayers().map((layer) => {
        const {label, name} = layer.config, {all, grouped} = inView(layer), sums = totals.get(name);
        const total = " " + words.of + " " + told(sums && sums.count) + " " + words.onMap;
        return label + ": " + told(all) + " " + words.inView + total + (grouped ? " (" + (asFineAsHeld(layer) ? words.heldGroups : words.grouped) + ")" : "");
      });
      if (config.saved) { lines.push(config.saved.note); }
      if (held && !held.contains(map.getBounds())) { lines.push(words.beyondHeld); }
      status.replaceChildren(...lines.map((line) => element("span", "", line)));
      for (const layer of layers.values()) {
        const box = form.querySelector("[data-count=" + layer.config.name + "]");
        const sums = totals.get(layer.config.name);
        box.textContent = map.hasLayer(layer) ? told(sums && sums.count) : "";
      }
      // Tests and people wait for the same: everything asked for is drawn.
      const busy = shownLayers().some((layer) => !map.hasLayer(layer) || !layer.isDrawn() || asking.has(layer.config.name)) || areas.busy();
      const failed = failure();
      map.getContainer().dataset.view = busy ? "busy" : (failed ? "failed" : "ready");
      if (failed && map.ancu.note.hidden) { trouble(map, failed, () => map.fire("retry")); }
      if (!failed && troubled) { note(map); }
      troubled = Boolean(failed);
    }
    let telling = 0, troubled = false;  // whether the note is about a failure here
    const tellSoon = () => { cancelAnimationFrame(telling); telling = requestAnimationFrame(tellView); };

    const areas = Ancu.shades(map, config, {
      metric: () => metricField.value, level, address, shown: () => checked().includes("areas"),
      hit: (point) => follow.hit(point), changed: () => { drawLegend(); tellSoon(); },
    });

    /* ---- single records ---- */

    function recordPopup(layer, p) {
      const box = layer.describe(p);
      const id = element("span", "", String(p.id));
      box.append(id);
      if (p.rule) { box.append(element("span", "", config.rules[p.rule] || p.rule)); }
      const template = config.pages[p.subject || layer.config.name];
      if (!config.saved && template) {
        const link = element("a", "", words.open);
        link.href = L.Util.template(template, Object.fromEntries(
          ["id", "province_code", "commune_code"].map((field) => [field, encodeURIComponent(p[field] || "")])));
        box.append(link);
      }
      return box;
    }
    /* All records at one place: findings stand where their survey does, and hide it. */
    function popup(layer, p, latlng, all) {
      const box = element("div", "at-place");
      if (all.length > 1) { box.append(element("small", "", words.here.replace("%(n)s", counts.format(all.length)))); }
      box.append(...all.map((one) => recordPopup(one.layer, one.p)));
      L.popup({maxWidth: 280, maxHeight: 300}).setLatLng(latlng).setContent(box).openOn(map);
    }
    const follow = Ancu.follow(map, shownLayers, areas.under, popup);
    map.getContainer().addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target !== map.getContainer() || map.ancu.picking) { return; }
      const centre = map.getCenter(), point = map.latLngToLayerPoint(centre);
      if (!follow.pick(point, centre)) { areas.read(point, centre); }
    });

    /* ---- the legend ---- */

    function layerLegend(layer) {
      const sums = totals.get(layer.config.name) || {};
      const part = element("div", "keys");
      part.append(element("strong", "", layer.config.label));
      const lines = new Map();  // classes that look alike share a line
      for (const [value, mark] of Object.entries(layer.config.marks)) {
        const look = [mark.colour, mark.shape, mark.fill].join();
        const line = lines.get(look) || {mark, labels: [], count: 0};
        line.labels.push(mark.label);
        line.count += sums[value] || 0;
        lines.set(look, line);
      }
      const known = Array.from(lines.values()).reduce((sum, line) => sum + line.count, 0);
      if (sums.count > known) { lines.set("other", {mark: layer.config.other, labels: [layer.config.other.label], count: sums.count - known}); }
      for (const {mark, labels, count: number} of lines.values()) {
        const item = element("span", "key");
        item.append(sign(mark.shape, mark.colour, mark.fill), labels.join(", ") + " (" + told(sums.count === undefined ? null : number) + ")");
        part.append(item);
      }
      const missed = filters().filter((field) => !layer.config.filters.includes(field.name));
      if (missed.length) { part.append(element("small", "", words.notFiltered + " " + missed.map(nameOf).join(", "))); }
      return part;
    }
    function drawLegend() {
      const parts = shownLayers().map(layerLegend);
      if (parts.length) { parts.push(element("small", "", words.flaggedMark + "; " + words.group)); }
      if (checked().includes("areas")) { parts.push(areas.legend()); }
      legend.replaceChildren(...parts);
      areas.restyle();
    }
    const nameOf = (field) => field.closest("[data-filter]").querySelector("span").textContent;
    const valueOf = (field) => (field.selectedOptions ? field.selectedOptions[0].textContent : field.value.trim());

    /* What is shown, in words: for paper. */
    map.ancu.told = () => ({
      layers: checked().map((name) => boxes.find((box) => box.value === name).closest("label").querySelector("span").textContent
        + (name === "areas" ? ": " + areas.title() : "")),
      known: map.getContainer().dataset.view !== "failed",
      filters: filters().map((field) => nameOf(field) + ": " + valueOf(field)),
    });
    map.ancu.viewWords = words;
    map.ancu.address = address;
    map.ancu.link = () => { remember(false); return location.href; };
    map.ancu.popup = (content, latlng) => L.popup({maxWidth: 280}).setLatLng(latlng).setContent(content).openOn(map);

    /* ---- begin ---- */

    /* A file holds the records of a box: it shows no other place as if it were empty. */
    function keepWithin([west, south, east, north]) {
      const box = L.latLngBounds([south, west], [north, east]);
      const fit = () => {
        map.options.minZoom = 0;  // else it would count for the zoom asked for
        map.setMinZoom(map.getBoundsZoom(box));
      };
      const finest = Math.max(...drawn.map((one) => config.saved.zooms[one.name][1]));
      map.options.maxBoundsViscosity = 1;
      map.setMaxBounds(box).setMaxZoom(Math.min(finest + CLOSER, map.getMaxZoom()));
      map.on("resize", fit);
      fit();
      map.createPane("beyond").style.zIndex = 470;
      const world = [[-90, -540], [-90, 540], [90, 540], [90, -540]];
      L.polygon([world, [box.getSouthWest(), box.getSouthEast(), box.getNorthEast(), box.getNorthWest()]], {
        pane: "beyond", renderer: L.svg({pane: "beyond", padding: 0.5}), interactive: false,
        color: "#5b6b7a", weight: 1.5, dashArray: "6 4", fillColor: "#aeb8c2", fillOpacity: 0.6}).addTo(map);
      return box;
    }

    const change = () => { renewFields(); remember(true); renewLayers(); areas.renew(); };
    for (const field of [...boxes, metricField, ...fields, ...(levelField ? [levelField] : [])]) { field.addEventListener("change", change); }
    form.addEventListener("submit", (event) => event.preventDefault());
    const clear = form.querySelector("[data-act=clear]");
    if (clear) { clear.addEventListener("click", () => { fields.forEach((field) => { field.value = ""; }); change(); }); }
    map.on("movestart zoomstart", () => { map.getContainer().dataset.view = "busy"; });
    map.on("moveend", () => { remember(false); tellSoon(); });
    map.on("retry", () => { countMissing(); tellSoon(); });
    for (const layer of layers.values()) { layer.on("load tileunload", tellSoon); }
    window.addEventListener("popstate", () => {
      const at = read(home());
      renewLayers();
      areas.renew();
      if (at) { map.setView(at[0], at[1], {animate: false}); }
    });
    const at = read(home());
    if (at) { map.setView(at[0], at[1], {animate: false}); }
    loading(map, () => areas.begin(!at).then(renewLayers)).then(tellSoon);
    if (at) { renewLayers(); }
  };
})();
