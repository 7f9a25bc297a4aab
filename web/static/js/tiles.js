/* Vector tiles: what Leaflet.VectorGrid 1.3 needs under Leaflet 1.9, and marks by shape. */
(function () {
  "use strict";

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
      if (layer.options.parts) {
        fillParts(this._ctx, p, r, layer.options.parts);
        tracePath(this._ctx, p, r, "disc");
        this._fillStroke(this._ctx, layer);
      } else {
        drawMark(this._ctx, p, r, layer.options);
      }
    },
  });

  /* Marks: half their width, and their corners, in radii; those without corners are round. */
  L.Canvas.Tile.SHAPES = {
    disc: {half: 1}, ring: {half: 1}, dot: {half: 0.6, round: 0.6},
    square: {half: 0.9, corners: [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]]},
    triangle: {half: 1.15, corners: [[0, -1.25], [1.15, 0.85], [-1.15, 0.85]]},
    drop: {half: 1.15, corners: [[-1.15, -0.85], [1.15, -0.85], [0, 1.25]]},
    diamond: {half: 1.25, corners: [[0, -1.25], [1.25, 0], [0, 1.25], [-1.25, 0]]},
    home: {half: 1.05, corners: [[0, -1.25], [1.05, -0.25], [1.05, 1], [-1.05, 1], [-1.05, -0.25]]},
  };

  /* An unknown shape is drawn as a disc: a throw here would leave the tile unfinished for ever. */
  const shapeOf = (name) => (Object.hasOwn(L.Canvas.Tile.SHAPES, name) ? L.Canvas.Tile.SHAPES[name] : L.Canvas.Tile.SHAPES.disc);

  /* One record: as much of its shape as `share` in its colour, the rest white. */
  function drawMark(context, p, r, mark) {
    const half = shapeOf(mark.shape).half * r;
    tracePath(context, p, r, mark.shape);
    context.fillStyle = "#ffffff";
    context.fill();
    context.save();
    context.clip();
    context.fillStyle = mark.colour;
    context.fillRect(p.x - half, p.y - 1.5 * r, 2 * half * mark.share, 3 * r);
    context.restore();
    tracePath(context, p, r, mark.shape);
    context.lineWidth = mark.flagged || mark.share < 1 ? 2 : 1;
    context.strokeStyle = mark.flagged ? "#111827" : (mark.share < 1 ? mark.colour : "#ffffff");
    context.stroke();
  }

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
    /* The properties of the marks at a layer point of the map, the one drawn last first. */
    marksAt: function (point) {
      const hit = [];
      for (const tile of this.tilesShown()) {
        if (!tile._map) { continue; }
        const inTile = this._inTile(tile, point);
        for (const mark of Object.values(tile._layers)) {
          if (mark._containsPoint(inTile)) { hit.unshift(mark.properties); }
        }
      }
      return hit;
    },
    /* The tiles of the present zoom; those that have been drawn have a `_map`. */
    tilesShown: function () {
      return Object.values(this._vectorTiles).filter((tile) => tile.getCoord().z === this._tileZoom);
    },
    /* Where a mark of a tile stands on the map, as a layer point; tiles may be stretched. */
    placeOf: function (tile, mark) {
      const inWorld = tile.getCoord().scaleBy(this.getTileSize()).add(mark._point);
      return inWorld.multiplyBy(this._stretch()).subtract(this._map.getPixelOrigin());
    },
    _inTile: function (tile, point) {
      const inWorld = point.add(this._map.getPixelOrigin()).divideBy(this._stretch());
      return inWorld.subtract(tile.getCoord().scaleBy(this.getTileSize()));
    },
    _stretch: function () {
      return this._map.getZoomScale(this._map.getZoom(), this._tileZoom);
    },
    /* Whether all that the frame needs was asked for and drawn. */
    isDrawn: function () {
      return this._tileZoom === undefined || (this._drawn && !this.isLoading());
    },
    /* The first failure among the tiles of the frame, or nothing. */
    failure: function () {
      return this.tilesShown().map((tile) => tile.failure).find(Boolean);
    },
  });

  L.VectorGrid.addInitHook(function () {
    this.on("add loading", () => { this._drawn = false; });
    this.on("load", () => { this._drawn = true; });
  });

  const getTile = L.VectorGrid.Protobuf.prototype._getVectorTilePromise;
  L.VectorGrid.Protobuf.include({
    /* The tile at `coords`; an answer that is none is thrown, with its `status`. */
    ask: async function (coords) {
      const [asked, answered] = withAnswer(() => getTile.call(this, coords));
      const [tile, {ok, status}] = await Promise.all([asked, answered]);
      if (!ok) { throw Object.assign(new Error(this._url + " " + status), {status}); }
      return joinCells(tile);
    },
    _getVectorTilePromise: async function (coords) {
      const asked = this.ask(coords);
      await null;  // until then the library has not kept the tile
      const kept = this._vectorTiles[this._tileCoordsToKey(coords)];
      try {
        return await asked;
      } catch (error) {
        if (kept) { kept.failure = error; }
        this.fire("tileerror", {error, coords});
        return {layers: {}};
      }
    },
  });

  /* What `work` returns, and the answer to what it asked of `fetch`: the library drops that. */
  function withAnswer(work) {
    const {fetch} = window;
    let answered = null;
    window.fetch = (...asked) => (answered = fetch.apply(window, asked));
    try { return [work(), answered]; } finally { window.fetch = fetch; }
  }

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
          if (Number.isFinite(Number(value))) { sums.properties[key] = (sums.properties[key] || 0) + Number(value); }
        }
      }
      layer.features = points.concat(Array.from(groups.values(), ({x, y, properties}) => (
        {type: 1, properties, geometry: [[{x: x / properties.count, y: y / properties.count}]]})));
      layer.length = layer.features.length;
    }
    return tile;
  }

  function tracePath(context, p, r, shape) {
    const {corners, round} = shapeOf(shape);
    context.beginPath();
    if (corners) {
      for (const [x, y] of corners) { context.lineTo(p.x + x * r, p.y + y * r); }
      context.closePath();
    } else {
      context.arc(p.x, p.y, (round || 1) * r, 0, 2 * Math.PI);
    }
  }
})();
