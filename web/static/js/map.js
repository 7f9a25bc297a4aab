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
    if (answer.status === 404 && url.includes("/outline")) {
      await answer.text();  // what nobody reads keeps its connection
      return NOTHING;
    }
    if (!answer.ok) { throw Object.assign(new Error(url + " " + answer.status), {status: answer.status}); }
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
      trouble(map, error, () => loading(map, work));
    }
  }

  /* Says that something could not be loaded, and offers to try `again`, or to sign in first. */
  function trouble(map, error, again) {
    console.info(error);
    if (error.status === 401) { note(map, ...signIn(map.ancu.words)); return; }
    const button = element("button", "button", map.ancu.words.retry);
    button.type = "button";
    button.addEventListener("click", () => { note(map); again(); });
    note(map, map.ancu.words.failed, button);
  }

  /* That the session has ended, and the way back to this page. */
  function signIn(words) {
    const link = element("a", "", words.signIn);
    link.href = words.signInPage + "?next=" + encodeURIComponent(location.pathname + location.search);
    return [words.signedOut + " ", link];
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
  Ancu.tools = {element, getJson, loading, note, trouble, signIn, show, sign, counts, percent, language};

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
    if (config.basemap) { background(map, config.basemap); }
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

  /* The background: pictures of another host, or of a PMTiles file of this one. */
  function background(map, config) {
    map.attributionControl.addAttribution(element("span", "", config.credit).innerHTML);
    if (config.kind === "missing") { return; }
    const {url, minZoom, maxZoom} = config;
    if (config.kind === "xyz") { L.tileLayer(url, {maxZoom: 19}).addTo(map); return; }
    const zooms = {minZoom, maxZoom: 19, maxNativeZoom: maxZoom};
    if (config.kind === "raster") {
      pmtiles.leafletRasterLayer(new pmtiles.PMTiles(url), zooms).addTo(map);
    } else {
      protomapsL.leafletLayer({url, flavor: "light", lang: language, maxDataZoom: maxZoom, noWrap: true}).addTo(map);
    }
  }

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

  /* A mark as a picture: of a chosen record, larger than the others, and in legends. */
  function sign(shape, colour, share) {
    const radius = 7, {corners, half, round} = L.Canvas.Tile.SHAPES[shape];
    const path = corners
      ? "M" + corners.map(([x, y]) => radius * x + " " + radius * y).join("L") + "z"
      : "M-R 0a R R 0 1 0 D 0a R R 0 1 0 -D 0z".replaceAll("R", radius * (round || 1)).replaceAll("D", 2 * radius * (round || 1));
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const add = (tag, values, parent) => {
      const made = document.createElementNS(svg.namespaceURI, tag);
      for (const [key, value] of Object.entries(values)) { made.setAttribute(key, value); }
      (parent || svg).append(made);
      return made;
    };
    for (const [key, value] of [["viewBox", "-11 -11 22 22"], ["width", 22], ["height", 22]]) { svg.setAttribute(key, value); }
    svg.dataset.shape = shape;
    const id = "clip-" + (clips += 1);
    add("path", {d: path}, add("clipPath", {id}));
    add("path", {d: path, fill: "#ffffff"});
    const wide = radius * half;
    add("rect", {x: -wide, y: -11, width: 2 * wide * share, height: 22, fill: colour, "clip-path": "url(#" + id + ")"});
    add("path", {d: path, fill: "none", stroke: share < 1 ? colour : "#111827", "stroke-width": 2});
    return svg;
  }
  let clips = 0;
})();
