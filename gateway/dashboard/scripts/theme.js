// The theme switch: auto (the system's), light or dark; the choice is stored in this browser.

const KEY = "penstock.theme";
const CHOICES = ["auto", "light", "dark"];

/** Make a button step through the themes. */
export function installThemeSwitch(button) {
  const show = () => {
    button.textContent = `Theme: ${current()}`;
  };
  button.addEventListener("click", () => {
    choose(CHOICES[(CHOICES.indexOf(current()) + 1) % CHOICES.length]);
    show();
  });
  show();
}

function current() {
  return document.documentElement.dataset.theme ?? "auto";
}

function choose(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Storage is not allowed: the choice lasts as long as the page.
  }
}
