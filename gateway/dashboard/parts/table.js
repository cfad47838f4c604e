// A table that is updated in place: rows keep their position, and only changed cells are drawn.

import { fill, h, redraw } from "../scripts/element.js";

/**
 * Make a table.
 *
 * `columns` are {name, draw(item), value(item), kind}: `draw` returns the cell's content, and
 * `value` what it depends on (default: the whole item); `kind` is a class.
 * Returns {element, show(items)}; `key` returns an item's key, `empty` is shown if there are none.
 */
export function makeTable({ caption, columns, key, empty }) {
  const body = h("tbody", {});
  const head = h(
    "thead",
    {},
    h(
      "tr",
      {},
      columns.map(drawHead),
    ),
  );
  const table = h("table", {}, h("caption", { class: "unseen" }, caption), head, body);
  const nothing = h("div", { class: "empty", hidden: true });
  const element = h("div", { class: "table-frame" }, table, nothing);
  const rows = new Map();

  function show(items) {
    const wanted = new Set();
    let place = body.firstElementChild;
    for (const item of items) {
      const name = key(item);
      wanted.add(name);
      const row = rows.get(name) ?? makeRow(name);
      drawRow(row, item);
      if (row === place) place = place.nextElementSibling;
      else body.insertBefore(row, place);
    }
    for (const [name, row] of rows) {
      if (wanted.has(name)) continue;
      row.remove();
      rows.delete(name);
    }
    table.hidden = items.length === 0;
    nothing.hidden = items.length !== 0;
    if (items.length === 0) fill(nothing, typeof empty === "function" ? empty() : empty);
  }

  function makeRow(name) {
    const cells = columns.map((column) =>
      h("td", { class: column.kind, "data-name": column.name }),
    );
    const row = h("tr", { data: { key: `row-${name}` } }, cells);
    rows.set(name, row);
    return row;
  }

  function drawRow(row, item) {
    columns.forEach((column, i) => {
      const cell = row.children[i];
      redraw(cell, column.value ? column.value(item) : item, () => column.draw(item));
      cell.classList.toggle("blank", ["", "–"].includes(cell.textContent));
    });
  }

  return { element, show };
}

// Buttons name their own action, so the heading of their column is for screen readers only.
function drawHead({ kind, name }) {
  if (kind !== "actions") return h("th", { scope: "col", class: kind }, name);
  return h("th", { scope: "col" }, h("span", { class: "unseen" }, name));
}
