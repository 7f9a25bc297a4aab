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

  /* One record: as much of its shape as `share` in its colour, the rest white. */
  function drawMark(context, p, r, mark) {
    const half = L.Canvas.Tile.SHAPES[mark.shape].half * r;
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
    const {corners, round} = L.Canvas.Tile.SHAPES[shape];
    context.beginPath();
    if (corners) {
      for (const [x, y] of corners) { context.lineTo(p.x + x * r, p.y + y * r); }
      context.closePath();
    } else {
      context.arc(p.x, p.y, (round || 1) * r, 0, 2 * Math.PI);
    }
  }
})();
