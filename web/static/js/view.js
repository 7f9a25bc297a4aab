/* The map page: which layers are shown, filtered by what, where; the address holds all of it. */
(function () {
  "use strict";

  const {element, getJson, loading, note, trouble, show, sign, counts, percent} = Ancu.tools;
  const {classOf, ranges, key} = Ancu.areas;

  /* A canvas that can also fill with hatching: areas without a figure, and hidden figures. */
  const Hatched = L.Canvas.extend({
    _fillStroke: function (context, layer) {
      L.Canvas.prototype._fillStroke.call(this, context, layer);
      if (!layer.options.pattern) { return; }
      context.globalAlpha = 1;
      context.fillStyle = patternOf(context, layer.options.pattern);
      context.fill("evenodd");
    },
  });

  function patternOf(context, name) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const brush = tile.getContext("2d");
    brush.fillStyle = brush.strokeStyle = "#9aa5af";
    brush.lineWidth = 1.5;
    if (name === "dotted") {
      for (const [x, y] of [[2, 2], [6, 6]]) { brush.fillRect(x - 1, y - 1, 2, 2); }
    } else {
      for (const [x, y] of [[0, 8], [-4, 4], [4, 12]]) { brush.moveTo(x, y); brush.lineTo(x + 8, y - 8); }
      brush.stroke();
    }
    return context.createPattern(tile, "repeat");
  }

  Ancu.view = function (map, config) {
    const words = config.words;
    const form = document.getElementById("map-form");
    const legend = document.getElementById("legend");
    const status = document.getElementById("map-status");
    const fields = Array.from(form.querySelectorAll("[data-filter] select, [data-filter] input"));
    const boxes = Array.from(form.querySelectorAll("input[name=layers]"));
    const metricField = form.querySelector("[name=metric]");
    const standard = boxes.filter((box) => box.defaultChecked).map((box) => box.value);
    const drawn = config.saved ? config.layers.filter((one) => config.saved.zooms[one.name]) : config.layers;
    const layers = new Map(drawn.map((one) => [
      one.name, Ancu.records(map, {...one, zooms: config.saved && config.saved.zooms[one.name]})]));
    const totals = new Map();  // layer → number of records, and of each class, with its filters
    const asking = new Map();  // layer → the address whose totals are on their way
    const failures = new Map();  // what else could not be had: totals by layer, finer shapes
    let areas = null, figures = {}, under = null, refining = false, fineness = config.area.level === "country" ? 7 : 9;

    /* ---- what is wanted: from the address (or the file), into the form, and back ---- */

    const home = () => new URLSearchParams(config.saved ? config.saved.query : location.search);
    function read(params) {
      const wanted = params.has("layers") ? params.get("layers").split(",") : standard;
      boxes.forEach((box) => { box.checked = wanted.includes(box.value); });
      metricField.value = config.metrics[params.get("metric")] ? params.get("metric") : Object.keys(config.metrics)[0];
      fields.forEach((field) => { field.value = params.get(field.name) || ""; });
      renewFields();
      const at = /^(\d{1,2}(?:\.\d+)?)\/(-?\d+(?:\.\d+)?)\/(-?\d+(?:\.\d+)?)$/.exec(params.get("at") || "");
      return at && Math.abs(at[2]) < 85 && Math.abs(at[3]) <= 180 ? [[Number(at[2]), Number(at[3])], Math.min(Number(at[1]), map.getMaxZoom())] : null;
    }
    /* A filter is shown, holds and is in the address while a layer is shown that has it. */
    function renewFields() {
      for (const label of form.querySelectorAll("[data-filter]")) {
        label.hidden = !shownLayers().some((layer) => layer.config.filters.includes(label.dataset.filter));
      }
    }
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

    /* How many records of a layer stand in the frame, and whether any are in groups; null while
       that is not known. */
    function inView(layer) {
      const whole = map.hasLayer(layer) && layer._tileZoom !== undefined && layer.isDrawn() && !layer.failure();
      if (!whole) { return {all: null, grouped: false}; }
      const seen = L.bounds([0, 0], map.getSize());
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

    const told = (number) => (number === null || number === undefined ? "–" : counts.format(number));
    /* What is missing of all that is shown: the first failure, or nothing. */
    function failure() {
      const names = ["shapes", ...shownLayers().map((layer) => layer.config.name)];
      return names.map((name) => failures.get(name)).concat(shownLayers().map((layer) => layer.failure())).find(Boolean);
    }
    function tellView() {
      const lines = shownLayers().map((layer) => {
        const {label, name} = layer.config, {all, grouped} = inView(layer), sums = totals.get(name);
        const total = " " + words.of + " " + told(sums && sums.count) + " " + words.onMap;
        return label + ": " + told(all) + " " + words.inView + total + (grouped ? " (" + words.grouped + ")" : "");
      });
      if (config.saved) { lines.push(config.saved.note); }
      status.replaceChildren(...lines.map((line) => element("span", "", line)));
      for (const layer of layers.values()) {
        const box = form.querySelector("[data-count=" + layer.config.name + "]");
        const sums = totals.get(layer.config.name);
        box.textContent = map.hasLayer(layer) ? told(sums && sums.count) : "";
      }
      // Tests and people wait for the same: everything asked for is drawn.
      const busy = shownLayers().some((layer) => !map.hasLayer(layer) || !layer.isDrawn() || asking.has(layer.config.name));
      const failed = failure();
      map.getContainer().dataset.view = busy ? "busy" : (failed ? "failed" : "ready");
      if (failed && map.ancu.note.hidden) { trouble(map, failed, () => map.fire("retry")); }
      if (!failed && troubled) { note(map); }
      troubled = Boolean(failed);
    }
    let telling = 0, troubled = false;  // whether the note is about a failure here
    const tellSoon = () => { cancelAnimationFrame(telling); telling = requestAnimationFrame(tellView); };

    /* ---- areas ---- */

    function styleOf(feature) {
      const known = figures[feature.properties.code] || {};
      const scale = config.metrics[metricField.value];
      const at = classOf(scale, known[metricField.value]);
      if (!checked().includes("areas")) { return {fillOpacity: 0, weight: 1, color: "#16324f", pattern: null}; }
      return {
        weight: 1, color: "#ffffff", fillOpacity: 0.9, fillColor: at === null ? "#eceff1" : scale.colours[at],
        pattern: at !== null ? null : (known.suppressed ? "dotted" : "hatched"),
      };
    }
    function describeArea(code) {
      const known = figures[code] || {name: code}, metric = metricField.value;
      const box = element("div", "tip");
      box.append(element("strong", "", known.name));
      if (checked().includes("areas")) {
        box.append(element("span", "", config.metrics[metric].label + ": " + (known.suppressed ? map.ancu.words.suppressed : percent(known[metric]))));
      }
      return box;
    }
    function areaPopup(code) {
      const box = describeArea(code);
      if (!checked().includes("areas")) { box.append(element("span", "", percent((figures[code] || {})[metricField.value]))); }
      if (config.saved) { return box; }
      for (const [path, text] of [["/map/", words.mapOf], ["/progress/", words.progressOf]]) {
        const link = element("a", "", text);
        link.href = path + encodeURIComponent(code) + (path === "/map/" ? "?" + address(false) : "");
        box.append(link);
      }
      return box;
    }
    /* Shapes come in resolutions: finer ones as somebody looks closer. */
    const finenessOf = (zoom) => (config.saved ? 0 : [5, 7, 9, 11].find((last) => zoom <= last) || 11);
    const addressOf = (url, z) => url + "?v=" + encodeURIComponent(config.version) + "&z=" + z;
    async function refine() {
      const wanted = finenessOf(map.getZoom());
      if (!areas || refining || config.area.level === "commune" || wanted <= fineness) { return; }
      refining = true;
      failures.delete("shapes");
      try {
        const finer = await getJson(addressOf(config.shapes, wanted));
        areas.clearLayers();
        areas.addData(finer);
        fineness = wanted;
      } catch (error) {
        failures.set("shapes", error);
      }
      refining = false;
      tellSoon();
      if (!failures.has("shapes")) { refine(); }
    }
    async function loadAreas(fit) {
      const commune = config.area.level === "commune";
      const [shapes, told, outline] = await Promise.all([
        getJson(addressOf(commune ? config.outline : config.shapes, fineness)), commune ? {figures: config.own} : getJson(config.figures), getJson(addressOf(config.outline, fineness))]);
      figures = told.figures;
      const border = L.geoJSON(outline, {interactive: false, renderer: L.canvas({padding: 0.3}), style: {fill: false, color: "#16324f", weight: 2}}).addTo(map);
      areas = L.geoJSON(shapes, {
        renderer: new Hatched({padding: 0.3}),
        style: styleOf,
        onEachFeature: (feature, one) => {
          const code = feature.properties.code;
          const tell = () => describeArea(code);
          one.on("mouseover", () => { under = tell; });
          one.on("mouseout", () => { if (under === tell) { under = null; } });
          one.on("click", (event) => {
            if (map.ancu.picking || follow.hit(event.layerPoint)) { return; }
            L.popup({maxWidth: 260}).setLatLng(event.latlng).setContent(areaPopup(code)).openOn(map);
          });
        },
      }).addTo(map);
      border.bringToFront();
      const bounds = border.getBounds().isValid() ? border.getBounds() : areas.getBounds();
      if (fit) { show(map, bounds); }
      map.on("moveend retry", refine);
      if (!bounds.isValid()) { setTimeout(() => note(map, map.ancu.words.noBoundary)); }
      drawLegend();
      map.getContainer().dataset.ready = "areas";
    }

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
    const popup = (layer, p, latlng) => L.popup({maxWidth: 280}).setLatLng(latlng).setContent(recordPopup(layer, p)).openOn(map);
    const follow = Ancu.follow(map, shownLayers, () => under, popup);
    map.getContainer().addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target !== map.getContainer() || map.ancu.picking) { return; }
      const centre = map.getCenter();
      follow.pick(map.latLngToLayerPoint(centre), centre);
    });

    /* ---- the legend ---- */

    function areaLegend() {
      const scale = config.metrics[metricField.value], names = ranges(scale);
      const part = element("div", "keys");
      const tally = new Map();
      for (const one of areas ? areas.getLayers() : []) {
        const known = figures[one.feature.properties.code] || {};
        const at = classOf(scale, known[metricField.value]);
        const name = at !== null ? at : (known.suppressed ? "dotted" : "hatched");
        tally.set(name, (tally.get(name) || 0) + 1);
      }
      const number = (name) => " (" + told(areas && (tally.get(name) || 0)) + ")";
      part.append(element("strong", "", scale.label), ...scale.colours.map((fill, i) => key(fill, names[i] + number(i))));
      part.append(key(null, map.ancu.words.noData + number("hatched"), "hatched"));
      if (tally.has("dotted")) { part.append(key(null, map.ancu.words.suppressed + number("dotted"), "dotted")); }
      return part;
    }
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
      if (checked().includes("areas")) { parts.push(areaLegend()); }
      legend.replaceChildren(...parts);
      if (areas) { areas.setStyle(styleOf); }
    }
    const nameOf = (field) => field.closest("[data-filter]").querySelector("span").textContent;
    const valueOf = (field) => (field.selectedOptions ? field.selectedOptions[0].textContent : field.value.trim());

    /* What is shown, in words: for paper. */
    map.ancu.told = () => ({
      layers: checked().map((name) => boxes.find((box) => box.value === name).closest("label").querySelector("span").textContent
        + (name === "areas" ? ": " + config.metrics[metricField.value].label : "")),
      known: map.getContainer().dataset.view !== "failed",
      filters: filters().map((field) => nameOf(field) + ": " + valueOf(field)),
    });
    map.ancu.viewWords = words;
    map.ancu.address = address;
    map.ancu.link = () => { remember(false); return location.href; };
    map.ancu.popup = (content, latlng) => L.popup({maxWidth: 280}).setLatLng(latlng).setContent(content).openOn(map);

    /* ---- begin ---- */

    const change = () => { renewFields(); remember(true); renewLayers(); };
    for (const field of [...boxes, metricField, ...fields]) { field.addEventListener("change", change); }
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
      if (at) { map.setView(at[0], at[1], {animate: false}); }
    });
    const at = read(home());
    if (at) { map.setView(at[0], at[1], {animate: false}); }
    loading(map, () => loadAreas(!at).then(renewLayers)).then(tellSoon);
    if (at) { renewLayers(); }
  };
})();
