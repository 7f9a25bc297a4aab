/* Records as marks: vector tiles with single points, or with squares that hold many. */
(function () {
  "use strict";

  const {element, trouble, counts} = Ancu.tools;
  const NOBODY = "00000000-0000-0000-0000-000000000000";

  /* A layer of tiles in the marks of `config`; `describe` tells what one mark stands for. */
  Ancu.records = function (map, config) {
    const words = map.ancu.words;
    const other = config.other || {colour: "#6b7280", shape: "dot", fill: 1, label: ""};
    const markOf = (p) => {
      const value = p[config.classField];
      return config.marks[value] || config.marks["s" + (p.severity || value)] || other;
    };
    const drawGroup = (p) => {
      const parts = Object.entries(config.marks)
        .map(([key, mark]) => ({count: Number(p[key] || 0), colour: mark.colour}))
        .filter((part) => part.count > 0);
      const rest = Number(p.count) - parts.reduce((sum, part) => sum + part.count, 0);
      if (rest > 0) { parts.push({count: rest, colour: other.colour}); }
      return {
        parts, radius: Math.min(5 + 4 * Math.log10(Number(p.count)), 20),
        fill: false, stroke: true, weight: 1.5, color: "#ffffff", opacity: 1,
      };
    };
    const drawPoint = (p) => {
      const mark = markOf(p);
      return {shape: mark.shape, colour: mark.colour, share: mark.fill, flagged: Boolean(Number(p.flagged)), radius: 5, fill: true};
    };
    const draw = (p) => (p.count === undefined ? drawPoint(p) : drawGroup(p));
    const layer = L.vectorGrid.protobuf(config.url, {
      rendererFactory: L.canvas.tile,
      vectorTileLayerStyles: new Proxy({}, {get: () => draw}),
      // A code may be called as something that every object has: the library looks it up in one.
      getFeatureId: (feature) => "id:" + feature.properties.id,
      pane: "points",
      tolerance: 5,
      maxZoom: map.getMaxZoom(),
      minZoom: config.zooms ? config.zooms[0] : 0,
      maxNativeZoom: config.zooms ? config.zooms[1] : map.getMaxZoom(),
      fetchOptions: {credentials: "same-origin"},
    });
    layer.config = config;
    layer.markOf = markOf;
    layer.describe = (p) => {
      const box = element("div", "tip");
      if (p.count === undefined) {
        box.append(element("strong", "", markOf(p).label));
      } else {
        box.append(element("strong", "", counts.format(Number(p.count)) + " " + (config.label || words.surveys).toLowerCase()));
        for (const [key, mark] of Object.entries(config.marks)) {
          if (Number(p[key]) > 0) { box.append(element("span", "", mark.label + ": " + counts.format(Number(p[key])))); }
        }
      }
      if (Number(p.flagged) > 0) {
        box.append(element("span", "", (p.count === undefined ? "" : counts.format(Number(p.flagged)) + " ") + words.flagged));
      }
      return box;
    };
    layer.on("tileerror", ({error}) => trouble(map, error, () => map.fire("retry")));
    map.on("retry", () => { if (layer.failure()) { layer.redraw(); } });
    return layer;
  };

  /* Follows the pointer over `layers()`, the last drawn first. `below` describes what lies under
     all marks, or nothing; `choose(layer, p, latlng, all)` is called with a clicked point, and with
     {layer, p} of `all` the points there. */
  Ancu.follow = function (map, layers, below, choose) {
    const tip = L.tooltip({className: "tip-box", direction: "top", offset: [0, -6]});
    const hits = (point) => layers().reverse().flatMap((layer) => layer.marksAt(point).map((p) => ({layer, p})));
    const hit = (point) => hits(point)[0] || null;
    let hovered = null;
    map.on("mousemove", (event) => {
      const found = hit(event.layerPoint);
      const under = found ? null : below();
      const now = found ? found.p : under;
      map.getContainer().style.cursor = found ? "pointer" : "";
      if (now === hovered) { if (under) { tip.setLatLng(event.latlng); } return; }
      hovered = now;
      if (now) { tip.setContent(found ? found.layer.describe(found.p) : under()).setLatLng(event.latlng).addTo(map); } else { tip.remove(); }
    });
    map.on("mouseout zoomstart", () => { hovered = null; tip.remove(); });
    const pick = (point, latlng) => {
      const all = map.ancu.picking ? [] : hits(point);
      const [found] = all;
      if (!found) { return false; }
      if (found.p.count === undefined) { choose(found.layer, found.p, latlng, all.filter(({p}) => p.count === undefined)); } else { map.setView(latlng, Math.min(map.getZoom() + 2, map.getMaxZoom())); }
      return true;
    };
    map.on("click", (event) => pick(event.layerPoint, event.latlng));
    return {hit, pick};
  };

  Ancu.points = function (map, config) {
    const layer = Ancu.records(map, config);
    const toggle = config.hidden && document.querySelector("input[data-layer=surveys]");
    const shown = () => !toggle || toggle.checked;
    if (toggle) { toggle.addEventListener("change", () => { if (toggle.checked) { layer.addTo(map); } else { layer.remove(); } }); }
    Ancu.follow(map, () => (shown() ? [layer] : []), () => null, (_, p) => {
      if (map.ancu.select) { map.ancu.select(p.id, p.commune_code); } else { location.assign(addressOf(config.page, p.id, p.commune_code)); }
    });
    layer.on("load", () => { map.getContainer().dataset.points = "ready"; });
    if (shown()) { layer.addTo(map); }
  };

  /* Two communes may have a survey of one id: the commune tells them apart. */
  function addressOf(template, id, commune) {
    return template.replace(NOBODY, encodeURIComponent(id)) + (commune ? "?commune=" + encodeURIComponent(commune) : "");
  }
})();
