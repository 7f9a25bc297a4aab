/* The areas of the map page, coloured by a figure: an area's children, or every commune of the
   country at once. Shapes and figures come by their own addresses. */
(function () {
  "use strict";

  const {element, getJson, note, show, counts, percent} = Ancu.tools;
  const {classOf, ranges, key} = Ancu.areas;
  const LINE = "#16324f", BARE = "#eceff1", GROUND = "#ffffff";
  const FINEST = {"": 11, commune: 9};  // finer shapes of all communes would be too many to send

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

  /* By code what each area shows, from an answer as it is or in rows. */
  function figuresOf(answer) {
    if (!answer.rows) { return answer.figures || {}; }
    const named = (row) => Object.fromEntries(answer.columns.map((column, i) => [column, row[i]]));
    return Object.fromEntries(Object.entries(answer.rows).map(([code, row]) => [code, named(row)]));
  }

  /* `view` tells what is wanted: metric(), level() ("" or "commune"), shown(), and address(); it
     is told of changes. */
  Ancu.shades = function (map, config, view) {
    const words = config.words;
    const own = config.area.level === "commune";
    let areas = null, borders = null, figures = {}, under = null, asking = false, failed = null;
    let held = {level: null, fineness: 0};

    /* Shapes come in resolutions: finer ones as somebody looks closer. A file has one. */
    function wanted() {
      const level = view.level();
      const fineness = [5, 7, 9, 11].find((last) => map.getZoom() <= last) || 11;
      return {level, fineness: Math.min(config.saved ? 5 : fineness, FINEST[level])};
    }
    const stands = ({level, fineness}) => level === held.level && (own || fineness <= held.fineness);
    const shapesOf = (url, z, level) => getJson(
      url + "?v=" + encodeURIComponent(config.version) + "&z=" + z + (level ? "&level=" + level : ""));
    const figuresAt = (level) => (own ? {figures: config.own} : getJson(config.figures + (level ? "?level=" + level : "")));

    /* Asks for what is wanted until that is what is held. */
    async function renew() {
      if (!areas || asking) { return; }
      asking = true;
      failed = null;
      try {
        for (let now = wanted(); !stands(now); now = wanted()) { await fetchAll(now); }
      } catch (error) {
        failed = error;
      }
      asking = false;
      view.changed();
    }
    async function fetchAll({level, fineness}) {
      const other = level !== held.level;
      const [shapes, told, above] = await Promise.all([
        shapesOf(own ? config.outline : config.shapes, fineness, level), other ? figuresAt(level) : null,
        level ? shapesOf(config.shapes, fineness, "") : null]);
      if (told) { figures = figuresOf(told); }
      under = null;
      areas.clearLayers();
      areas.addData(shapes);
      borders.clearLayers();
      if (above) { borders.addData(above); }
      held = {level, fineness};
    }
    async function begin(fit) {
      // Lines lie over the areas, but the pointer reaches these.
      if (!map.getPane("lines")) {
        Object.assign(map.createPane("lines").style, {zIndex: 410, pointerEvents: "none"});
      }
      const line = (weight) => ({
        pane: "lines", interactive: false, renderer: L.canvas({pane: "lines", padding: 0.3}), style: {fill: false, color: LINE, weight}});
      const first = wanted();
      first.fineness = Math.max(first.fineness, first.level ? 5 : (config.area.level === "country" ? 7 : 9));
      areas = areas || L.geoJSON(null, {renderer: new Hatched({padding: 0.3}), style: styleOf, onEachFeature: listen}).addTo(map);
      borders = borders || L.geoJSON(null, line(0.7)).addTo(map);
      const [outline] = await Promise.all([shapesOf(config.outline, first.fineness, ""), fetchAll(first)]);
      const border = L.geoJSON(outline, line(config.area.level === "country" ? 1.2 : 2)).addTo(map);
      const bounds = border.getBounds().isValid() ? border.getBounds() : areas.getBounds();
      if (fit) { show(map, bounds); }
      map.on("moveend retry", renew);
      map.on("zoomend", () => { if (held.level) { restyle(); } });
      if (!bounds.isValid()) { setTimeout(() => note(map, map.ancu.words.noBoundary)); }
      view.changed();
      map.getContainer().dataset.ready = "areas";
    }

    function styleOf(feature) {
      const known = figures[feature.properties.code] || {};
      const scale = config.metrics[view.metric()];
      const at = classOf(scale, known[view.metric()]);
      if (!view.shown()) { return {fillOpacity: 0, weight: held.level ? 0.3 : 1, color: LINE, pattern: null}; }
      const fillColor = at === null ? BARE : scale.colours[at];
      // White lines around thousands of small areas would be all that is seen.
      const small = held.level && map.getZoom() < 8;
      return {
        weight: small ? 0.6 : 1, color: small ? fillColor : GROUND, fillOpacity: 0.9, fillColor,
        pattern: at !== null ? null : (known.suppressed ? "dotted" : "hatched"),
      };
    }
    function restyle() {
      if (areas) { areas.setStyle(styleOf); }
    }
    function listen(feature, one) {
      const code = feature.properties.code;
      const tell = () => describe(code);
      one.on("mouseover", () => { under = tell; });
      one.on("mouseout", () => { if (under === tell) { under = null; } });
      one.on("click", (event) => {
        if (map.ancu.picking || view.hit(event.layerPoint)) { return; }
        map.ancu.popup(popup(code), event.latlng);
      });
    }
    /* Opens what a click at a layer point of the map would open. */
    function read(point, latlng) {
      const one = areas && areas.getLayers().find((shape) => shape._containsPoint(point));
      if (one) { map.ancu.popup(popup(one.feature.properties.code), latlng); }
    }
    function describe(code, always) {
      const known = figures[code] || {name: code}, metric = view.metric();
      const box = element("div", "tip");
      box.append(element("strong", "", known.name));
      if (known.province) { box.append(element("span", "", config.provinces[known.province] || known.province)); }
      if (always || view.shown()) {
        box.append(element("span", "", config.metrics[metric].label + ": " + (known.suppressed ? map.ancu.words.suppressed : percent(known[metric]))));
      }
      return box;
    }
    function popup(code) {
      const box = describe(code, true);
      if (config.saved) { return box; }
      for (const [path, text] of [["/map/", words.mapOf], ["/progress/", words.progressOf]]) {
        const link = element("a", "", text);
        link.href = path + encodeURIComponent(code) + (path === "/map/" ? "?" + view.address(false) : "");
        box.append(link);
      }
      return box;
    }

    const title = () => config.metrics[view.metric()].label + (view.level() ? ", " + words.byCommune : "");

    /* The classes with how many areas each has, and how many are drawn of all. */
    function legend() {
      const scale = config.metrics[view.metric()], names = ranges(scale);
      const part = element("div", "keys");
      const tally = new Map();
      const whole = held.level === view.level() && areas;
      const drawn = whole ? areas.getLayers() : [];
      for (const one of drawn) {
        const known = figures[one.feature.properties.code] || {};
        const at = classOf(scale, known[view.metric()]);
        const name = at !== null ? at : (known.suppressed ? "dotted" : "hatched");
        tally.set(name, (tally.get(name) || 0) + 1);
      }
      const number = (name) => " (" + (whole ? counts.format(tally.get(name) || 0) : "–") + ")";
      part.append(element("strong", "", title()), ...scale.colours.map((fill, i) => key(fill, names[i] + number(i))));
      part.append(key(null, map.ancu.words.noData + number("hatched"), "hatched"));
      if (tally.has("dotted")) { part.append(key(null, map.ancu.words.suppressed + number("dotted"), "dotted")); }
      if (whole) {
        const all = Object.keys(figures).length;
        part.append(element("small", "", words.drawn + " " + counts.format(drawn.length) + " " + words.of + " " + counts.format(all) + " " + words.units));
      }
      return part;
    }

    return {begin, renew, read, restyle, legend, title, under: () => under, busy: () => asking, failure: () => failed};
  };
})();
