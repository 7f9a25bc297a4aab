/* What the maps do. Folium makes the map and calls one function of `Ancu` per layer.
   Text of records is written with textContent only. */
(function () {
  "use strict";

  const language = document.documentElement.lang || "vi";
  const percents = new Intl.NumberFormat(language, {minimumFractionDigits: 1, maximumFractionDigits: 1});
  const counts = new Intl.NumberFormat(language);
  const percent = (ratio) => (ratio === null || ratio === undefined ? "–" : percents.format(100 * ratio) + " %");

  /* ---- vector tiles: Leaflet.VectorGrid 1.3 under Leaflet 1.9 ---- */

  // Marks near a tile's edge reach over it: the canvas is larger than its tile by this many pixels.
  const MARGIN = 24;
  const beginTile = L.Canvas.Tile.prototype.initialize;

  L.Canvas.Tile.include({
    initialize: function (coords, size, options) {
      beginTile.call(this, coords, size, options);
      this._container.width = size.x + 2 * MARGIN;
      this._container.height = size.y + 2 * MARGIN;
      this._ctx.translate(MARGIN, MARGIN);
    },
    _updateCircle: function (layer) {
      if (!this._drawing || layer._empty()) { return; }
      const p = layer._point, r = Math.max(layer._radius, 1);
      if (layer.options.parts) { fillParts(this._ctx, p, r, layer.options.parts); }
      tracePath(this._ctx, p, r, layer.options.shape);
      this._fillStroke(this._ctx, layer);
    },
  });

  /* A group of records: one slice for each class. */
  function fillParts(context, p, r, parts) {
    const all = parts.reduce((sum, part) => sum + part.count, 0);
    let angle = -Math.PI / 2;
    for (const part of parts) {
      const next = angle + 2 * Math.PI * part.count / all;
      context.beginPath();
      context.moveTo(p.x, p.y);
      context.arc(p.x, p.y, r, angle, next);
      context.closePath();
      context.globalAlpha = 0.85;
      context.fillStyle = part.colour;
      context.fill();
      angle = next;
    }
    context.globalAlpha = 1;
  }

  L.VectorGrid.include({
    _initTile: function (tile) {
      L.GridLayer.prototype._initTile.call(this, tile);
      const size = this.getTileSize();
      tile.style.width = size.x + 2 * MARGIN + "px";
      tile.style.height = size.y + 2 * MARGIN + "px";
      tile.style.margin = -MARGIN + "px";
    },
    // Its own handlers do not work under Leaflet 1.9 and see one tile at a time: ask it instead.
    /* The properties of the mark drawn last at a layer point of the map, else null. */
    markAt: function (point) {
      let hit = null;
      for (const tile of Object.values(this._vectorTiles)) {
        if (!tile._map || tile.getCoord().z !== this._tileZoom) { continue; }
        const inTile = point.subtract(tile.getOffset());
        for (const mark of Object.values(tile._layers)) {
          if (mark._containsPoint(inTile)) { hit = mark.properties; }
        }
      }
      return hit;
    },
  });

  const getTile = L.VectorGrid.Protobuf.prototype._getVectorTilePromise;
  L.VectorGrid.Protobuf.include({
    _getVectorTilePromise: function (coords) {
      return getTile.call(this, coords).then((tile) => {
        // What was answered with 4xx or 5xx comes as an array of no layers; a tile has an object.
        if (Array.isArray(tile.layers)) { throw new Error("refused"); }
        return joinCells(tile);
      }).catch((error) => {
        this.fire("tileerror", {error, coords});
        return {layers: {}};
      });
    },
  });

  /* Cells lie closer than their circles are wide: join them to GROUPS groups a tile's side, each
     where its records are on average. */
  const GROUPS = 8;

  function joinCells(tile) {
    for (const layer of Object.values(tile.layers)) {
      const side = layer.extent / GROUPS;
      const groups = new Map();
      const points = [];
      for (const feature of layer.features) {
        if (feature.properties.count === undefined) { points.push(feature); continue; }
        const {x, y} = feature.geometry[0][0];
        const where = Math.floor(x / side) + ":" + Math.floor(y / side);
        const sums = groups.get(where) || {x: 0, y: 0, properties: {id: where, count: 0}};
        groups.set(where, sums);
        const count = Number(feature.properties.count);
        sums.x += x * count;
        sums.y += y * count;
        for (const [key, value] of Object.entries(feature.properties)) {
          if (key !== "id") { sums.properties[key] = (sums.properties[key] || 0) + Number(value); }
        }
      }
      layer.features = points.concat(Array.from(groups.values(), ({x, y, properties}) => (
        {type: 1, properties, geometry: [[{x: x / properties.count, y: y / properties.count}]]})));
      layer.length = layer.features.length;
    }
    return tile;
  }

  function tracePath(context, p, r, shape) {
    context.beginPath();
    if (shape === "triangle") {
      context.moveTo(p.x, p.y - 1.25 * r);
      context.lineTo(p.x + 1.15 * r, p.y + 0.85 * r);
      context.lineTo(p.x - 1.15 * r, p.y + 0.85 * r);
      context.closePath();
    } else if (shape === "square") {
      context.rect(p.x - 0.9 * r, p.y - 0.9 * r, 1.8 * r, 1.8 * r);
    } else {
      context.arc(p.x, p.y, r, 0, 2 * Math.PI);
    }
  }

  /* ---- helpers ---- */

  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) { made.className = className; }
    if (text !== undefined) { made.textContent = text; }
    return made;
  };

  const NOTHING = {type: "FeatureCollection", features: []};

  /* The JSON at `url`; of an area without a boundary, an empty collection. */
  async function getJson(url) {
    const answer = await fetch(url, {headers: {Accept: "application/json"}});
    if (answer.status === 404 && url.includes("/outline")) { return NOTHING; }
    if (!answer.ok) { throw new Error(url + " " + answer.status); }
    return answer.json();
  }

  /* Shows loading, then runs `work`; on failure says so and offers to try again. */
  async function loading(map, work) {
    const words = map.ancu.words;
    note(map, element("span", "spinner"), words.loading);
    try {
      await work();
      note(map);
    } catch (error) {
      console.error(error);
      const button = element("button", "button", words.retry);
      button.type = "button";
      button.addEventListener("click", () => loading(map, work));
      note(map, words.failed, button);
    }
  }

  function note(map, ...parts) {
    const box = map.ancu.note;
    box.replaceChildren(...parts);
    box.hidden = parts.length === 0;
  }

  function show(map, bounds) {
    if (!bounds.isValid()) { return; }
    map.fitBounds(bounds, {padding: [12, 12], maxZoom: 15, animate: false});
    map.ancu.shown = bounds;
  }

  /* ---- the functions that maps.py calls ---- */

  const Ancu = window.Ancu = {};
  const NOBODY = "00000000-0000-0000-0000-000000000000";

  Ancu.begin = function (map, config) {
    const box = element("div", "map-note");
    box.setAttribute("role", "status");
    box.hidden = true;
    map.getContainer().append(box);
    map.ancu = {words: config.words, note: box};
    if (map.attributionControl) { map.attributionControl.setPrefix(false); }
    const zoom = map.zoomControl;
    for (const [button, text] of [[zoom._zoomInButton, config.words.zoomIn], [zoom._zoomOutButton, config.words.zoomOut]]) {
      button.title = text;
      button.setAttribute("aria-label", text);
    }
    map.createPane("points").style.zIndex = 450;
    map.createPane("evidence").style.zIndex = 460;
    const frame = map.getContainer();
    let width = frame.clientWidth;
    new ResizeObserver(() => {
      map.invalidateSize({pan: false});
      // Turned phones and changed windows see the whole again, unless the reader went elsewhere.
      if (frame.clientWidth !== width && map.ancu.shown) { show(map, map.ancu.shown); }
      width = frame.clientWidth;
    }).observe(frame);
    map.on("dragstart zoomstart", () => { map.ancu.shown = null; });
    // Paper gets the map as it is on the screen: while printing no script can fit it to the page.
    window.addEventListener("beforeprint", () => {
      Object.assign(frame.style, {width: frame.offsetWidth + "px", height: frame.offsetHeight + "px"});
    });
    window.addEventListener("afterprint", () => { Object.assign(frame.style, {width: "", height: ""}); });
  };

  Ancu.outline = function (map, config) {
    const renderer = L.svg({padding: 0.5});
    loading(map, async () => {
      const layer = L.geoJSON(await getJson(config.url), {
        interactive: false,
        style: () => ({renderer, color: "#16324f", weight: 1.5, fillColor: "#16324f", fillOpacity: 0.05}),
      }).addTo(map);
      map.ancu.home = layer.getBounds();
      if (!map.ancu.chosen) { show(map, map.ancu.home); }
    });
  };

  Ancu.choropleth = function (map, config) {
    const figures = JSON.parse(document.getElementById(config.figures).textContent);
    const renderer = L.svg({padding: 0.2});  // a canvas cannot fill with a pattern
    let metric = config.metric;
    let layer = null;

    const colour = (code) => {
      const value = figures[code] ? figures[code][metric] : null;
      if (value === null || value === undefined) { return null; }
      const {breaks, colours} = config.scales[metric];
      return colours[breaks.filter((b) => value >= b).length];
    };
    const style = (feature) => {
      const fill = colour(feature.properties.code);
      return {
        renderer, color: "#ffffff", weight: 1, fillColor: fill || config.noData, fillOpacity: fill ? 0.95 : 0.8,
      };
    };
    const tooltip = (code) => {
      const box = element("div", "tip");
      const known = figures[code] || {name: code};
      box.append(element("strong", "", known.name));
      for (const key of Object.keys(config.scales)) {
        const line = element("span", key === metric ? "on" : "", config.scales[key].label + ": " + percent(known[key]));
        box.append(line);
      }
      return box;
    };
    const highlight = (code, on) => {
      for (const row of document.querySelectorAll("[data-code]")) {
        if (row.dataset.code === code) { row.classList.toggle("hover", on); }
      }
      if (!layer) { return; }
      layer.eachLayer((one) => {
        if (one.feature.properties.code !== code) { return; }
        one.setStyle(on ? {color: "#111827", weight: 3} : style(one.feature));
        if (on) { one.bringToFront(); }
      });
    };

    function legend() {
      const box = document.getElementById("legend");
      const {breaks, colours, label} = config.scales[metric];
      const edges = [0, ...breaks, null];
      box.replaceChildren(element("strong", "", label));
      colours.forEach((fill, i) => {
        const low = counts.format(100 * edges[i]);
        const text = edges[i + 1] === null ? "≥ " + low + " %" : low + "–" + counts.format(100 * edges[i + 1]) + " %";
        box.append(key(fill, text));
      });
      box.append(key(null, map.ancu.words.noData, "hatched"));
    }
    const key = (fill, text, extra) => {
      const item = element("span", "key");
      const swatch = element("i", extra || "");
      if (fill) { swatch.style.backgroundColor = fill; }
      item.append(swatch, text);
      return item;
    };

    function change(wanted) {
      if (!config.scales[wanted]) { return; }
      metric = wanted;
      legend();
      if (layer) { layer.setStyle(style); }
    }
    document.addEventListener("ancu:metric", (event) => change(event.detail));
    for (const row of document.querySelectorAll("tr[data-code]")) {
      for (const [name, on] of [["mouseenter", true], ["mouseleave", false], ["focusin", true], ["focusout", false]]) {
        row.addEventListener(name, () => highlight(row.dataset.code, on));
      }
    }

    legend();
    loading(map, async () => {
      const shapes = await getJson(config.url);
      if (!shapes.features.length) {
        setTimeout(() => note(map, map.ancu.words.noBoundary));
        return;
      }
      layer = L.geoJSON(shapes, {
        style,
        onEachFeature: (feature, one) => {
          const code = feature.properties.code;
          one.bindTooltip(() => tooltip(code), {sticky: true, className: "tip-box"});
          one.on("mouseover", () => highlight(code, true));
          one.on("mouseout", () => highlight(code, false));
          one.on("click", () => {
            const known = figures[code];
            if (!known) { return; }
            if (known.url) { location.assign(known.url); } else { choose(code); }
          });
        },
      }).addTo(map);
      show(map, layer.getBounds());
      map.getContainer().dataset.ready = "areas";
    });

    const choose = (code) => document.dispatchEvent(new CustomEvent("ancu:area", {detail: code}));
  };

  Ancu.points = function (map, config) {
    const one = (p) => p[config.classField];
    const drawGroup = (p) => {
      const parts = Object.entries(config.marks)
        .map(([key, mark]) => ({count: Number(p[key] || 0), colour: mark.colour}))
        .filter((part) => part.count > 0);
      return {
        shape: "disc", parts, radius: Math.min(5 + 4 * Math.log10(Number(p.count)), 20),
        fill: false, stroke: true, weight: 1.5, color: "#ffffff", opacity: 1,
      };
    };
    const drawPoint = (p) => {
      const mark = config.marks[one(p)];
      const hollow = mark.shape === "ring";
      return {
        shape: mark.shape, radius: 5,
        fill: true, fillColor: hollow ? "#ffffff" : mark.colour, fillOpacity: 0.9,
        stroke: true, weight: hollow ? 2 : 1, color: hollow ? mark.colour : "#ffffff", opacity: 1,
      };
    };
    const draw = (p) => (one(p) === undefined ? drawGroup(p) : drawPoint(p));
    const styles = new Proxy({}, {get: () => draw});
    const layer = L.vectorGrid.protobuf(config.url, {
      rendererFactory: L.canvas.tile,
      vectorTileLayerStyles: styles,
      getFeatureId: (feature) => feature.properties.id,
      pane: "points",
      tolerance: 5,
      maxZoom: 19,
      maxNativeZoom: 16,
      fetchOptions: {credentials: "same-origin"},
    });
    const tip = L.tooltip({className: "tip-box", direction: "top", offset: [0, -6]});
    const describe = (p) => {
      const box = element("div", "tip");
      if (one(p) !== undefined) {
        box.append(element("strong", "", config.marks[one(p)].label));
        return box;
      }
      box.append(element("strong", "", counts.format(Number(p.count)) + " " + map.ancu.words.surveys));
      for (const [key, mark] of Object.entries(config.marks)) {
        if (Number(p[key]) > 0) { box.append(element("span", "", mark.label + ": " + counts.format(Number(p[key])))); }
      }
      return box;
    };
    let hovered = null;
    map.on("mousemove", (event) => {
      const p = layer.markAt(event.layerPoint);
      if (p === hovered) { return; }
      hovered = p;
      map.getContainer().style.cursor = p ? "pointer" : "";
      if (p) { tip.setContent(describe(p)).setLatLng(event.latlng).addTo(map); } else { tip.remove(); }
    });
    map.on("mouseout zoomstart", () => { hovered = null; tip.remove(); });
    map.on("click", (event) => {
      const p = layer.markAt(event.layerPoint);
      if (!p) { return; }
      if (one(p) === undefined) { map.setView(event.latlng, Math.min(map.getZoom() + 2, 19)); return; }
      if (map.ancu.select) { map.ancu.select(p.id, true); } else { location.assign(config.page.replace(NOBODY, encodeURIComponent(p.id))); }
    });
    layer.on("tileerror", () => {
      const button = element("button", "button", map.ancu.words.retry);
      button.type = "button";
      button.addEventListener("click", () => { note(map); layer.redraw(); });
      note(map, map.ancu.words.failed, button);
    });
    layer.on("load", () => { map.getContainer().dataset.points = "ready"; });
    layer.addTo(map);
  };

  Ancu.evidence = function (map, config) {
    const group = L.featureGroup().addTo(map);
    const options = (extra) => Object.assign({pane: "evidence", renderer: L.svg({pane: "evidence"}), interactive: false}, extra);
    const panel = document.getElementById("evidence");

    async function draw(id) {
      group.clearLayers();
      if (!id) { return; }
      const seen = await getJson(config.url.replace(NOBODY, encodeURIComponent(id)));
      const outlines = await Promise.all(seen.outlines.map(getJson));
      if (map.ancu.chosen !== id) { return; }
      for (const shape of outlines) {
        L.geoJSON(shape, {style: () => options({color: "#111827", weight: 2.5, dashArray: "6 4", fillColor: "#111827", fillOpacity: 0.06})}).addTo(group);
      }
      if (seen.point) {
        if (seen.accuracy_m) { L.circle(seen.point, options({radius: seen.accuracy_m, color: seen.colour, weight: 1, fillOpacity: 0.12})).addTo(group); }
        if (seen.nearest) { L.polyline([seen.point, seen.nearest], options({color: seen.colour, weight: 3})).addTo(group); }
        L.circleMarker(seen.point, options({radius: 7, color: "#111827", weight: 2, fillColor: seen.colour, fillOpacity: 1})).addTo(group);
      }
      if (group.getLayers().length) { show(map, group.getBounds()); }
      if (panel) {
        panel.replaceChildren(element("strong", "verdict " + seen.verdict, seen.label), element("span", "", seen.summary));
        const link = element("a", "", map.ancu.words.openSurvey);
        link.href = seen.page;
        panel.append(link);
        panel.hidden = false;
      }
      map.getContainer().dataset.evidence = id;
    }

    function select(id, push) {
      map.ancu.chosen = id;
      for (const row of document.querySelectorAll("tr[data-survey]")) {
        const on = row.dataset.survey === id;
        row.classList.toggle("chosen", on);
        row.setAttribute("aria-selected", String(on));
      }
      if (push) {
        const url = new URL(location.href);
        url.searchParams.set("survey", id);
        history.pushState({survey: id}, "", url);
      }
      if (!id && map.ancu.home) { show(map, map.ancu.home); }
      if (!id && panel) { panel.hidden = true; }
      return id ? loading(map, () => draw(id)) : draw(null);
    }
    map.ancu.select = select;
    document.addEventListener("ancu:survey", (event) => select(event.detail, true));
    window.addEventListener("popstate", () => select(new URL(location.href).searchParams.get("survey"), false));
    if (config.selected) { select(config.selected, false); }
  };
})();
