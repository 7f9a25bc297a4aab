/* What lies around one survey or site, drawn in layers that the legend switches, and the cases of
   a list. Texts come as JSON and are written with textContent only. */
(function () {
  "use strict";

  const Ancu = window.Ancu;
  const {element, getJson, loading, show, sign} = Ancu.tools;
  const NEAR_M = 5000;  // a border so near is looked at closely

  const BADGES = {household: "H", survey: "P", site: "N"};

  const switches = () => Array.from(document.querySelectorAll("input[data-layer]"));
  const tip = (text) => element("span", "tip", text);
  const placed = (mark) => mark.at && Math.abs(mark.at[0]) <= 90 && Math.abs(mark.at[1]) <= 180;

  function marker(at, node, size, text) {
    const icon = L.divIcon({html: node, className: "", iconSize: [size, size]});
    const made = L.marker(at, {pane: "evidence", icon, keyboard: false, interactive: Boolean(text)});
    return text ? made.bindTooltip(() => tip(text), {direction: "top", className: "tip-box"}) : made;
  }

  const badge = (className, text) => element("span", "badge " + className, text);

  /* Groups of layers that stay while what they hold changes. */
  function layersOf(map) {
    const names = ["area", "accuracy", "border", "neighbours", "own", "route", "members", "proposed", "point"];
    const groups = {};
    for (const name of names) { groups[name] = L.featureGroup(); }
    const apply = (name, on) => { if (on) { groups[name].addTo(map); } else { groups[name].remove(); } };
    for (const name of names) { apply(name, true); }
    for (const box of switches().filter((one) => groups[one.dataset.layer])) {
      apply(box.dataset.layer, box.checked);
      box.addEventListener("change", () => apply(box.dataset.layer, box.checked));
    }
    return groups;
  }

  Ancu.evidence = function (map, config) {
    const groups = layersOf(map);
    const renderer = L.svg({pane: "evidence"});
    const plain = (extra) => Object.assign({pane: "evidence", renderer, interactive: false}, extra);
    const signOf = (verdict, size) => {
      const made = sign(config.marks[verdict].shape, config.marks[verdict].colour, config.marks[verdict].fill);
      made.setAttribute("width", size);
      made.setAttribute("height", size);
      return made;
    };

    const clear = () => { for (const group of Object.values(groups)) { group.clearLayers(); } };

    function drawAround(layers) {
      for (const mark of layers.neighbours.filter(placed)) {
        marker(mark.at, signOf(mark.verdict, 12), 12, mark.text).setOpacity(0.8).addTo(groups.neighbours);
      }
      for (const mark of layers.own.filter(placed)) {
        marker(mark.at, badge("own", BADGES[mark.kind]), 20, mark.text).addTo(groups.own);
      }
      for (const mark of layers.members.filter(placed)) {
        const node = element("span", "ringed");
        node.append(signOf(mark.verdict, 18));
        marker(mark.at, node, 24, mark.text).addTo(groups.members);
      }
      const stops = layers.route.filter(placed);
      if (stops.length > 1) { L.polyline(stops.map((mark) => mark.at), plain({color: "#5b3aa8", weight: 1.5, dashArray: "2 4"})).addTo(groups.route); }
      for (const mark of stops) {
        marker(mark.at, badge("stop", String(mark.number)), 18, mark.text).addTo(groups.route);
      }
      for (const mark of layers.repaired.filter(placed)) { marker(mark.at, badge("proposed", "✚"), 22, mark.text).addTo(groups.proposed); }
      for (const mark of layers.sent.filter(placed)) { marker(mark.at, badge("sent", "G"), 22, mark.text).addTo(groups.proposed); }
    }

    function drawItself(seen, outlines) {
      const colour = config.marks[seen.verdict].colour;
      for (const shape of outlines) {
        L.geoJSON(shape, {style: () => plain({color: "#111827", weight: 2.5, dashArray: "6 4", fillColor: "#111827", fillOpacity: 0.06})}).addTo(groups.area);
      }
      if (!seen.point) { return; }
      if (seen.accuracy_m) { L.circle(seen.point, plain({radius: seen.accuracy_m, color: colour, weight: 1, fillOpacity: 0.12})).addTo(groups.accuracy); }
      if (seen.nearest) { L.polyline([seen.point, seen.nearest], plain({color: colour, weight: 3})).addTo(groups.border); }
      marker(seen.point, signOf(seen.verdict, 22), 22).setZIndexOffset(1000).addTo(groups.point);
    }

    /* Near its border a point is looked at closely; else it and its area are seen whole. */
    function bounds(seen) {
      const found = L.latLngBounds([]);
      const reach = (group) => { if (groups[group].getLayers().length) { found.extend(groups[group].getBounds()); } };
      if (seen.point) { found.extend(seen.point); }
      const close = seen.point && (!seen.nearest || map.distance(seen.point, seen.nearest) < NEAR_M);
      for (const group of close ? ["accuracy", "border", "own", "proposed"] : ["area", "accuracy", "border", "own"]) { reach(group); }
      return found;
    }

    async function draw(url) {
      const seen = await getJson(url);
      const outlines = await Promise.all(seen.outlines.map(getJson));
      if (map.ancu.chosen !== url) { return; }
      clear();
      drawItself(seen, outlines);
      drawAround(seen.layers);
      show(map, bounds(seen));
      map.getContainer().dataset.evidence = seen.key;
    }

    function choose(url) {
      map.ancu.chosen = url || null;
      delete map.getContainer().dataset.evidence;
      if (url) { loading(map, () => draw(url)); return; }
      clear();
      if (map.ancu.home) { show(map, map.ancu.home); }
    }

    /* The point that an auditor is about to write: by a click, or typed. */
    const draft = L.featureGroup().addTo(map);
    document.addEventListener("ancu:picking", (event) => {
      map.ancu.picking = event.detail;
      map.getContainer().classList.toggle("picking", event.detail);
      if (!event.detail) { draft.clearLayers(); }
    });
    document.addEventListener("ancu:point", (event) => {
      draft.clearLayers();
      if (event.detail) { marker(event.detail, badge("draft", "✚"), 22, map.ancu.words.chosenPoint).addTo(draft); }
    });
    map.on("click", (event) => {
      if (map.ancu.picking) { document.dispatchEvent(new CustomEvent("ancu:picked", {detail: event.latlng.wrap()})); }
    });
    document.addEventListener("ancu:evidence", (event) => choose(event.detail));
    if (config.url) { choose(config.url); }
  };

  /* The cases of the page's list, each with its verdict's sign; a click chooses one. */
  Ancu.cases = function (map, config) {
    map.createPane("cases").style.zIndex = 455;
    const known = {};
    for (const one of JSON.parse(document.getElementById(config.data).textContent).filter(placed)) {
      const node = sign(config.marks[one.verdict].shape, config.marks[one.verdict].colour, config.marks[one.verdict].fill);
      node.setAttribute("width", 16);
      node.setAttribute("height", 16);
      node.dataset.case = one.case;
      const icon = L.divIcon({html: node, className: "", iconSize: [16, 16]});
      known[one.case] = L.marker(one.at, {pane: "cases", icon, keyboard: false})
        .bindTooltip(() => tip(one.text), {direction: "top", className: "tip-box"})
        .on("click", () => {
          if (!map.ancu.picking) { document.dispatchEvent(new CustomEvent("ancu:case", {detail: one.case})); }
        })
        .addTo(map);
    }
    map.ancu.select = (id, commune) => document.dispatchEvent(new CustomEvent("ancu:survey", {detail: {id, commune}}));
    map.getContainer().dataset.cases = String(Object.keys(known).length);
  };
})();
