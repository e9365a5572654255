// Tables that sort by a click on a column's head; long ones can be searched and narrowed down. Without it they are plain tables.
(() => {
  'use strict';
  const LONG = 20;       // rows from which on a table gets its tools
  const MOST_CHOICES = 40;

  // The number a cell shows: "1,204", "−0.50", "3 of 8", "2.1 × 10⁻⁵"; null if it shows none.
  function number(text) {
    const plain = text.replace(/[,\u00a0\u202f]/g, ' ').replace(/−/g, '-').replace(/(\d) (?=\d{3}(\D|$))/g, '$1').trim();
    const found = /^[<≤>≥±]?\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(?:\s*×\s*10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?/.exec(plain);
    if (!found) return plain.startsWith('∞') ? Infinity : plain.startsWith('-∞') ? -Infinity : null;
    const power = found[2] ? Number([...found[2]].map((c) => (c === '⁻' ? '-' : '⁰¹²³⁴⁵⁶⁷⁸⁹'.indexOf(c))).join('')) : 0;
    return Number(found[1]) * 10 ** power;
  }

  function sortable(table, rows, body) {
    const heads = [...table.querySelectorAll('thead th')];
    heads.forEach((head, column) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'sort';
      while (head.firstChild) button.append(head.firstChild);
      head.append(button);
      button.addEventListener('click', () => {
        // Numbers first from the largest (ranks and p-values from the smallest), names from A; a second click turns it around.
        const keys = new Map(rows.map((row) => [row, row.cells[column].textContent.trim()]));
        const numbers = new Map(rows.map((row) => [row, number(keys.get(row))]));
        const filled = rows.filter((row) => !['', '–'].includes(keys.get(row)));
        const numeric = filled.length > 0 && filled.every((row) => numbers.get(row) !== null);
        const was = head.getAttribute('aria-sort');
        const small = /^(rank|p|q)\b/i.test(button.textContent.trim()); // the first one is the smallest
        const down = was ? was === 'ascending' : numeric && !small;
        heads.forEach((other) => other.removeAttribute('aria-sort'));
        head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
        const turn = down ? -1 : 1;
        const empty = (row) => ['', '–'].includes(keys.get(row));
        const order = [...rows].sort((a, b) => {
          if (empty(a) || empty(b)) return empty(a) - empty(b); // what is missing stays last
          return turn * (numeric ? numbers.get(a) - numbers.get(b) : keys.get(a).localeCompare(keys.get(b), 'en', { numeric: true }));
        });
        body.append(...order);
      });
    });
    return heads;
  }

  function tools(holder, table, rows, heads) {
    const bar = document.createElement('div');
    bar.className = 'tools';
    const state = document.createElement('span');
    state.className = 'hint';
    state.setAttribute('aria-live', 'polite');
    const labelled = (words, field) => {
      const label = document.createElement('label');
      label.append(words + ' ', field);
      bar.append(label);
      return field;
    };
    const search = labelled('Search', document.createElement('input'));
    search.type = 'search';
    const filters = [];
    heads.forEach((head, column) => {
      const first = rows[0].cells[column];
      if (head.classList.contains('number') || first.querySelector('i')) return;
      const choices = [...new Set(rows.map((row) => row.cells[column].textContent.trim()))];
      if (choices.length < 2 || choices.length > MOST_CHOICES || choices.length === rows.length) return;
      choices.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
      const select = document.createElement('select');
      select.add(new Option('all', ''));
      for (const choice of choices) select.add(new Option(choice || '(none)', '=' + choice));
      labelled(head.querySelector('.sort').firstChild.textContent.trim(), select);
      filters.push({ column, select });
    });
    const apply = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        const fits = words.every((word) => text.includes(word)) &&
          filters.every(({ column, select }) => !select.value || select.value.slice(1) === row.cells[column].textContent.trim());
        row.hidden = !fits;
        shown += fits;
      }
      state.textContent = shown === rows.length ? `${rows.length} rows` : `${shown} of ${rows.length} rows`;
    };
    search.addEventListener('input', apply);
    filters.forEach(({ select }) => select.addEventListener('change', apply));
    bar.append(state);
    holder.querySelector('.caption').after(bar);
    apply();
  }

  for (const holder of document.querySelectorAll('.table')) {
    const table = holder.querySelector('table');
    const body = table.tBodies[0];
    const rows = body ? [...body.rows] : [];
    if (rows.length < 2) continue;
    const heads = sortable(table, rows, body);
    if (rows.length >= LONG) tools(holder, table, rows, heads);
  }

  // The methods paragraph goes to the clipboard, or is marked where that is refused.
  const methods = document.querySelector('.methods');
  if (methods) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy';
    button.textContent = 'Copy the paragraph and its references';
    button.addEventListener('click', async () => {
      const references = [...document.querySelectorAll('.references li')].map((item) => item.textContent.trim());
      try {
        await navigator.clipboard.writeText([methods.textContent.trim(), '', ...references].join('\n'));
        button.textContent = 'Copied';
      } catch {
        getSelection().selectAllChildren(methods);
        button.textContent = 'Marked; copy it with the keyboard';
      }
    });
    methods.before(button);
  }
})();
