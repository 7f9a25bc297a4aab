/* What the maps do. Folium makes the map and calls one function of `Ancu` per layer.
   Text of records is written with textContent only. */
(function () {
  "use strict";

  const language = document.documentElement.lang || "vi";
  const percents = new Intl.NumberFormat(language, {minimumFractionDigits: 1, maximumFractionDigits: 1});
  const counts = new Intl.NumberFormat(language);
  const percent = (ratio) => (ratio === null || ratio === undefined ? "–" : percents.format(100 * ratio) + " %");

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
  Ancu.tools = {element, getJson, loading, show, sign};
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
      const home = layer.getBounds();
      if (home.isValid()) { withListed(map, home, config.points); }
      map.ancu.home = home;
      if (!map.ancu.chosen) { show(map, map.ancu.home); }
    });
  };

  /* Listed points near an area belong to what its map shows; a far one must not shrink the area. */
  const NEAR = 3;  // widths or heights of the area beyond its border

  function withListed(map, home, points) {
    const reach = home.pad(NEAR);
    const near = points.filter((point) => reach.contains(point));
    near.forEach((point) => home.extend(point));
    if (near.length < points.length) {
      const text = counts.format(points.length - near.length) + " " + map.ancu.words.beyond;
      map.getContainer().after(element("p", "under beyond", text));
    }
  }

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
      // Tooltips listen for focus, which makes tab stops without names; the table has the links.
      layer.eachLayer((one) => one.getElement().setAttribute("tabindex", "-1"));
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
      const hollow = mark.shape === "ring" || mark.shape === "square";
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
    const toggle = config.hidden && document.querySelector("input[data-layer=surveys]");
    const shown = () => !toggle || toggle.checked;
    if (toggle) { toggle.addEventListener("change", () => { if (toggle.checked) { layer.addTo(map); } else { layer.remove(); } }); }
    let hovered = null;
    map.on("mousemove", (event) => {
      const p = shown() ? layer.markAt(event.layerPoint) : null;
      if (p === hovered) { return; }
      hovered = p;
      map.getContainer().style.cursor = p ? "pointer" : "";
      if (p) { tip.setContent(describe(p)).setLatLng(event.latlng).addTo(map); } else { tip.remove(); }
    });
    map.on("mouseout zoomstart", () => { hovered = null; tip.remove(); });
    map.on("click", (event) => {
      const p = shown() && !map.ancu.picking ? layer.markAt(event.layerPoint) : null;
      if (!p) { return; }
      if (one(p) === undefined) { map.setView(event.latlng, Math.min(map.getZoom() + 2, 19)); return; }
      if (map.ancu.select) { map.ancu.select(p.id, p.commune_code); } else { location.assign(addressOf(config.page, p.id, p.commune_code)); }
    });
    layer.on("tileerror", () => {
      const button = element("button", "button", map.ancu.words.retry);
      button.type = "button";
      button.addEventListener("click", () => { note(map); layer.redraw(); });
      note(map, map.ancu.words.failed, button);
    });
    layer.on("load", () => { map.getContainer().dataset.points = "ready"; });
    if (shown()) { layer.addTo(map); }
  };

  /* The chosen survey's mark, of the same shape as in the legend and larger than the others. */
  const OUTLINES = {
    disc: "M-7 0a7 7 0 1 0 14 0a7 7 0 1 0-14 0z",
    ring: "M-7 0a7 7 0 1 0 14 0a7 7 0 1 0-14 0z",
    square: "M-7-7h14v14h-14z",
    triangle: "M0-9L8.5 6.5h-17z",
  };

  function sign(shape, colour) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const add = (values) => {
      const path = document.createElementNS(svg.namespaceURI, "path");
      for (const [key, value] of Object.entries(values)) { path.setAttribute(key, value); }
      svg.append(path);
    };
    for (const [key, value] of [["viewBox", "-11 -11 22 22"], ["width", 22], ["height", 22]]) { svg.setAttribute(key, value); }
    svg.dataset.shape = shape;
    const full = shape === "disc" || shape === "triangle";
    add({d: OUTLINES[shape], fill: full ? colour : "#ffffff"});
    if (shape === "square") { add({d: "M-7-7h7v14h-7z", fill: colour}); }
    add({d: OUTLINES[shape], fill: "none", stroke: shape === "ring" ? colour : "#111827", "stroke-width": 2});
    return svg;
  }

  /* Two communes may have a survey of one id: the commune tells them apart. */
  function addressOf(template, id, commune) {
    return template.replace(NOBODY, encodeURIComponent(id)) + (commune ? "?commune=" + encodeURIComponent(commune) : "");
  }
})();
