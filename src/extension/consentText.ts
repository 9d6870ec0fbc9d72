import type { ConsentItem } from "../protocol/consent.ts";
import type { Translate } from "../words/translate.ts";

/** What is asked before something runs that a config names: what exactly, and where it is written. */
export function consentText(
  items: readonly ConsentItem[],
  t: Translate,
): { message: string; detail: string } {
  const blocks = items.map((item) => {
    const name = item.file.split(/[\\/]/).at(-1) ?? item.file;
    const where = item.line === null ? name : `${name}:${item.line}`;
    return [item.title, ...item.details, t("Named in {0}", where)].join("\n");
  });
  return {
    message: t("The config asks for something that you have not approved yet."),
    detail: [...blocks, t("Your answer is kept on this computer. You are asked again when it changes.")].join(
      "\n\n",
    ),
  };
}

/** Whom a key is for, as people read it. */
export function shownOrigin(origin: string, t: Translate): string {
  return origin === "server" ? t("the teacher's own server") : origin;
}
