// Applies the stored theme before the first paint. A classic script, because modules load later.
"use strict";
try {
  const chosen = localStorage.getItem("penstock.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage is not allowed: use the system's theme.
}
