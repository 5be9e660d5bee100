// Finds what a person would: visible elements by role and accessible name, as the browser itself computes both.
// Arguments: kind ("act", "field" or "box"), name, text of the row to look in (or null).
// Returns { found: [elements], seen: [names of all candidates] }.
const [kind, name, row] = arguments;

const SELECTORS = {
  act: "button, a[href], summary, input[type=submit], [role=button], [role=link], [role=menuitem], [role=tab]",
  field: "input:not([type=checkbox], [type=radio], [type=submit], [type=hidden]), select, textarea, output",
  box: "input[type=checkbox], input[type=radio], [role=switch], [role=checkbox]",
};

const plain = (text) => (text ?? "").replace(/\s+/g, " ").trim();
// A mark of a required field is part of the look, not of the name.
const label = (element) => plain(element.computedName).replace(/ ?\*$/, "");

function isVisible(element) {
  const box = element.getBoundingClientRect();
  return box.width > 0 && box.height > 0 && element.checkVisibility({ visibilityProperty: true });
}

// Where a person looks first. Without scripts a dialog is not modal, and still it is what one sees.
function places() {
  const open = (selector) => [...document.querySelectorAll(selector)].filter(isVisible).reverse();
  return [
    ...open("dialog[open]"),
    ...open("[role=menu], [popover]:popover-open"),
    ...open("main"),
    document.body,
  ];
}

function rowOf(element) {
  return element.closest("tr, li, [role=row], .row");
}

const candidates = [...document.querySelectorAll(SELECTORS[kind])].filter(isVisible);
// The label of a box may go on with what ticking it means.
const isNamed = (element) => label(element) === name || (kind === "box" && label(element).startsWith(`${name} `));
const named = candidates.filter(
  (element) => isNamed(element) && (row === null || plain(rowOf(element)?.textContent).includes(row)),
);
for (const place of places()) {
  const found = named.filter((element) => place.contains(element));
  // Links to the same place are one to whoever clicks.
  const [first] = found;
  const isSame = found.every((element) => element.href !== undefined && element.href === first.href);
  if (found.length > 0) return { found: isSame ? [first] : found, seen: [] };
}
return { found: [], seen: candidates.map(label).filter((text) => text !== "") };
