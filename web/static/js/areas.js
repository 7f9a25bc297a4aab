/* Areas coloured by a figure: on pages beside a table, and on the map page. */
(function () {
  "use strict";

  const {element, getJson, loading, note, show, counts, percent} = Ancu.tools;

  /* The class of a value: the number of breaks that it reaches; null when it is not known. */
  const classOf = (scale, value) => (
    value === null || value === undefined ? null : scale.breaks.filter((least) => value >= least).length);

  /* What the classes of a scale are called. */
  function ranges(scale) {
    const edges = [0, ...scale.breaks, null].map((edge) => (edge === null ? null : counts.format(100 * edge)));
    return scale.colours.map((_, i) => (edges[i + 1] === null ? "≥ " + edges[i] + " %" : edges[i] + "–" + edges[i + 1] + " %"));
  }

  /* One line of a legend: a swatch of a colour or a class of page.css, and words. */
  function key(fill, text, extra) {
    const item = element("span", "key");
    const swatch = element("i", extra || "");
    if (fill) { swatch.style.backgroundColor = fill; }
    item.append(swatch, text);
    return item;
  }

  Ancu.areas = {classOf, ranges, key};

  Ancu.choropleth = function (map, config) {
    const figures = JSON.parse(document.getElementById(config.figures).textContent);
    const renderer = L.svg({padding: 0.2});  // a canvas cannot fill with a pattern
    let metric = config.metric;
    let layer = null;

    const colour = (code) => {
      const value = figures[code] ? figures[code][metric] : null;
      const scale = config.scales[metric];
      const at = classOf(scale, value);
      return at === null ? null : scale.colours[at];
    };
    const isHidden = (code) => Boolean(figures[code] && figures[code].suppressed);
    const style = (feature) => {
      const {code} = feature.properties, fill = colour(code);
      const bare = isHidden(code) ? config.suppressed : config.noData;
      return {
        renderer, color: "#ffffff", weight: 1, fillColor: fill || bare, fillOpacity: fill ? 0.95 : 0.8,
      };
    };
    const tooltip = (code) => {
      const box = element("div", "tip");
      const known = figures[code] || {name: code};
      box.append(element("strong", "", known.name));
      for (const key of Object.keys(config.scales)) {
        const line = element("span", key === metric ? "on" : "", config.scales[key].label + ": "
          + (isHidden(code) && (known[key] ?? null) === null ? map.ancu.words.suppressed : percent(known[key])));
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
      const scale = config.scales[metric];
      const words = ranges(scale);
      const hidden = Object.keys(figures).some((code) => isHidden(code) && colour(code) === null);
      document.getElementById("legend").replaceChildren(
        element("strong", "", scale.label), ...scale.colours.map((fill, i) => key(fill, words[i])),
        key(null, map.ancu.words.noData, "hatched"),
        ...(hidden ? [key(null, map.ancu.words.suppressed, "dotted")] : []));
    }

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
})();
