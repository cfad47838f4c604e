// Base64, as JSON carries bytes.

/** The bytes that a text in base64 stands for. */
export function bytesOf(text) {
  try {
    return Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  } catch {
    throw new Error("The text is not base64.");
  }
}

/** The bytes of a file as text in base64. */
export async function base64Of(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const pieces = [];
  for (let i = 0; i < bytes.length; i += 32_768)
    pieces.push(String.fromCharCode(...bytes.subarray(i, i + 32_768)));
  return btoa(pieces.join(""));
}
