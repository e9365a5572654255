// The map of the cells on a canvas: painted pixel by pixel, so that 100,000 cells and more move without delay.
(async () => {
  'use strict';
  const holder = document.getElementById('map-data');
  if (!holder || typeof DecompressionStream === 'undefined') return; // the figures stay
  const data = JSON.parse(holder.textContent);
  const by = (id) => document.getElementById(id);
  const [frame, canvas, select, legend, status] = ['explore', 'map-canvas', 'map-by', 'map-legend', 'map-status'].map(by);
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const unpacked = async (text) => {
    const plain = new Blob([bytes(text)]).stream().pipeThrough(new DecompressionStream('deflate'));
    return new Uint8Array(await new Response(plain).arrayBuffer());
  };
  const words = (raw) => Uint16Array.from({ length: raw.length / 2 }, (_, i) => raw[2 * i] | (raw[2 * i + 1] << 8));
  const n = data.n;
  const [x, y] = (await Promise.all([data.x, data.y].map(unpacked))).map(words);
  await Promise.all(data.by.map(async (group) => { group.values = group.gene ? await unpacked(group.at) : words(await unpacked(group.at)); }));
  const SIDE = 65535;
  const GREY = '#d2d5d9'; // cells that are not looked at
  // In the dark theme a colour becomes what the style sheet's filter makes of those of the figures.
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const pixel = (hex) => {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    const luma = 0.213 * r + 0.715 * g + 0.072 * b;
    const seen = (value) => (dark.matches ? 0.88 * value + 0.94 * 255 - 1.76 * luma : value);
    const [red, green, blue] = [r, g, b].map((value) => Math.min(255, Math.max(0, Math.round(seen(value)))));
    return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
  };
  let height = 1; // of the layout, beside its width of 1
  for (let i = 0; i < n; i++) height = Math.max(height, y[i]);
  height = Math.max(0.6, height === 1 ? 1 : Math.min(1, height / SIDE + 0.02));

  let view = { x: 0.5, y: height / 2, zoom: 1 };
  let chosen = new Set();   // names of the legend looked at; none = all
  let colors = new Uint32Array(n);
  let order = Uint32Array.from({ length: n }, (_, i) => i);
  let image = null, pixels = null, asked = false;

  // Colour of every cell, and the order in which they are painted: what stands out comes last.
  function recolour() {
    const group = data.by[select.selectedIndex];
    const at = group.values;
    const rank = new Uint8Array(n);
    if (group.gene) {
      const shades = data.shades.map(pixel);
      for (let i = 0; i < n; i++) {
        rank[i] = at[i];
        colors[i] = shades[at[i]];
      }
    } else {
      const palette = group.colors.map(pixel);
      const grey = pixel(GREY);
      for (let i = 0; i < n; i++) {
        rank[i] = chosen.size === 0 || chosen.has(at[i]) ? 1 : 0;
        colors[i] = rank[i] ? palette[at[i]] : grey;
      }
    }
    const starts = new Uint32Array(257);
    for (let i = 0; i < n; i++) starts[rank[i] + 1]++;
    for (let k = 0; k < 256; k++) starts[k + 1] += starts[k];
    for (let i = 0; i < n; i++) order[starts[rank[i]]++] = i;
    paint();
  }

  function explain() {
    const group = data.by[select.selectedIndex];
    const at = group.values;
    legend.replaceChildren();
    if (group.gene) {
      const bar = document.createElement('span');
      bar.className = 'scale';
      bar.style.background = `linear-gradient(to right, ${data.shades.join(',')})`;
      const top = (group.top / data.per_unit).toFixed(1);
      const on = at.reduce((sum, level) => sum + (level > 0), 0);
      legend.append('0 ', bar, ` ${top} or more`);
      status.textContent = `${group.label}: counted in ${on.toLocaleString('en')} of ${n.toLocaleString('en')} cells (${(100 * on / Math.max(1, n)).toFixed(1)} %).`;
      canvas.setAttribute('aria-label', `Map of the cells, coloured by the expression of ${group.label}`);
      return;
    }
    const sizes = new Array(group.names.length).fill(0);
    for (const value of at) sizes[value]++;
    group.names.forEach((name, i) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.setAttribute('aria-pressed', String(chosen.has(i)));
      const swatch = document.createElement('span');
      swatch.className = 'swatch';
      swatch.style.background = group.colors[i];
      button.append(swatch, `${name} (${sizes[i].toLocaleString('en')})`);
      button.addEventListener('click', () => {
        if (!chosen.delete(i)) chosen.add(i);
        button.setAttribute('aria-pressed', String(chosen.has(i)));
        recolour();
      });
      legend.append(button);
    });
    status.textContent = `${n.toLocaleString('en')} cells, coloured by ${group.label.toLowerCase()}.`;
    canvas.setAttribute('aria-label', `Map of the cells, coloured by ${group.label.toLowerCase()}`);
  }

  // Offsets of the pixels of a disc.
  function disc(radius, width) {
    const out = [];
    const reach = Math.floor(radius);
    for (let dy = -reach; dy <= reach; dy++) for (let dx = -reach; dx <= reach; dx++) {
      if (dx * dx + dy * dy <= radius * radius) out.push([dx, dy, dy * width + dx]);
    }
    return out;
  }

  function draw() {
    asked = false;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const [w, h] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientWidth * height * ratio)];
    if (!w) return;
    if (!image || image.width !== w || image.height !== h) {
      [canvas.width, canvas.height] = [w, h];
      image = canvas.getContext('2d').createImageData(w, h);
      pixels = new Uint32Array(image.data.buffer);
    }
    pixels.fill(0);
    const scale = (w * view.zoom) / SIDE;
    const [left, up] = [w / 2 - view.x * w * view.zoom, h / 2 - view.y * w * view.zoom];
    const radius = Math.min(7 * ratio, Math.max(0.9, Math.sqrt((0.2 * w * h) / (Math.PI * Math.max(1, n))), 0.8 * ratio) * Math.sqrt(view.zoom));
    const [stamp, reach] = [disc(radius, w), Math.floor(radius)];
    for (let k = 0; k < n; k++) {
      const i = order[k];
      const px = Math.round(left + x[i] * scale), py = Math.round(up + y[i] * scale);
      if (px < -reach || py < -reach || px >= w + reach || py >= h + reach) continue;
      const base = py * w + px, color = colors[i];
      if (px >= reach && py >= reach && px < w - reach && py < h - reach) {
        for (let s = 0; s < stamp.length; s++) pixels[base + stamp[s][2]] = color;
      } else {
        for (const [dx, dy, offset] of stamp) {
          if (px + dx >= 0 && px + dx < w && py + dy >= 0 && py + dy < h) pixels[base + offset] = color;
        }
      }
    }
    canvas.getContext('2d').putImageData(image, 0, 0);
  }

  function paint() {
    if (!asked) requestAnimationFrame(draw);
    asked = true;
  }

  // Zooms about a point given as a part of the canvas' width.
  function zoom(factor, at = { x: 0.5, y: height / 2 }) {
    const to = Math.min(60, Math.max(1, view.zoom * factor));
    const fixed = { x: view.x + (at.x - 0.5) / view.zoom, y: view.y + (at.y - height / 2) / view.zoom };
    view = { x: fixed.x - (at.x - 0.5) / to, y: fixed.y - (at.y - height / 2) / to, zoom: to };
    move(0, 0);
  }

  function move(dx, dy) {
    const [mx, my] = [0.5 / view.zoom, height / 2 / view.zoom];
    view.x = Math.min(1 - mx, Math.max(mx, view.x + dx / view.zoom));
    view.y = Math.min(height - my, Math.max(my, view.y + dy / view.zoom));
    paint();
  }

  const whole = () => { view = { x: 0.5, y: height / 2, zoom: 1 }; paint(); };
  const place = (event) => { const box = canvas.getBoundingClientRect(); return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.width }; };

  for (const part of [['Of the cells', (g) => !g.gene], ['Candidate genes', (g) => g.gene]]) {
    const options = data.by.map((g, i) => [g, i]).filter(([g]) => part[1](g));
    if (options.length === 0) continue;
    const group = document.createElement('optgroup');
    group.label = part[0];
    for (const [g, i] of options) group.append(new Option(g.label, String(i)));
    select.append(group);
  }
  select.addEventListener('change', () => { chosen = new Set(); explain(); recolour(); });
  by('map-in').addEventListener('click', () => zoom(1.6));
  by('map-out').addEventListener('click', () => zoom(1 / 1.6));
  by('map-all').addEventListener('click', whole);
  canvas.addEventListener('keydown', (event) => {
    const step = 0.1;
    const keys = {
      '+': () => zoom(1.4), '=': () => zoom(1.4), '-': () => zoom(1 / 1.4), 0: whole, ArrowLeft: () => move(-step, 0),
      ArrowRight: () => move(step, 0), ArrowUp: () => move(0, -step), ArrowDown: () => move(0, step),
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    keys[event.key]();
    event.preventDefault();
  });
  canvas.addEventListener('dblclick', (event) => zoom(2, place(event)));
  // The wheel belongs to the page until the map has been clicked.
  canvas.addEventListener('wheel', (event) => {
    if (document.activeElement !== canvas && !event.ctrlKey) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 300), place(event));
  }, { passive: false });
  // One finger or the mouse moves the map; two fingers zoom it about their middle.
  const fingers = new Map();
  canvas.addEventListener('pointerdown', (event) => { fingers.set(event.pointerId, place(event)); canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener('pointermove', (event) => {
    const from = fingers.get(event.pointerId);
    if (!from) return;
    const to = place(event);
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const apart = (point) => Math.max(0.01, Math.hypot(point.x - other.x, point.y - other.y));
      zoom(apart(to) / apart(from), { x: (to.x + other.x) / 2, y: (to.y + other.y) / 2 });
    }
    const part = other ? 0.5 : 1;
    move(part * (from.x - to.x), part * (from.y - to.y));
    fingers.set(event.pointerId, to);
  });
  for (const end of ['pointerup', 'pointercancel']) canvas.addEventListener(end, (event) => { fingers.delete(event.pointerId); });
  canvas.addEventListener('touchmove', (event) => { if (event.touches.length > 1) event.preventDefault(); }, { passive: false });
  dark.addEventListener('change', recolour);
  new ResizeObserver(paint).observe(canvas);

  frame.hidden = false;
  document.documentElement.classList.add('live');
  canvas.style.aspectRatio = `1 / ${height}`;
  explain();
  recolour();
})();
