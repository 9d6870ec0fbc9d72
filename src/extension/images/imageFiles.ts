import { imageExtensions } from "../../engine/images/format.ts";

const pattern = new RegExp(`\\.(?:${imageExtensions.join("|")})$`, "i");

/** Whether a file's name promises an image that LEAF reads; the menus of package.json name the same endings. */
export function isImagePath(path: string): boolean {
  return pattern.test(path);
}

export { imageExtensions };
