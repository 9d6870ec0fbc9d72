import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { picture, temporaryFolder } from "./pictures.ts";

/** A folder of four photos and a config that asks a teacher about them. Returns the config's path. */
export async function askedPhotos(teacher: string, more = ""): Promise<string> {
  const root = temporaryFolder();
  mkdirSync(path.join(root, "photos"));
  for (let i = 0; i < 4; i++)
    writeFileSync(path.join(root, "photos", `${i}.png`), await picture(40, 30, i).png().toBuffer());
  const config = path.join(root, "leaf.yaml");
  writeFileSync(config, `images: photos\nsplit: { test: 0, val: 0 }\nteacher: ${teacher}\n${more}`);
  return config;
}
