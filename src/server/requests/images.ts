import path from "node:path";
import type { Connection } from "vscode-languageserver/node";
import { LeafError } from "../../engine/base/errors.ts";
import { imageFolders } from "../../engine/dataset/index/find.ts";
import { scorerInfo } from "../../engine/scoring/currentScorer.ts";
import type { ScorerProcess } from "../../engine/scoring/process.ts";
import type { ImageView } from "../../protocol/server.ts";
import type { Answer } from "../answers.ts";
import { type FoundImage, findImage, nearestFirst, pathInProject } from "../images/findImage.ts";
import { imageHover } from "../images/imageHover.ts";
import { imagePathAt, imagePathsInLine, isMarkdownLink } from "../images/pathsInText.ts";
import { heatOf, pictureOf, scoreNow } from "../images/score.ts";
import { scorePaths } from "../images/scorePaths.ts";
import type { Projects } from "../projects.ts";
import { fileOf, uriOf } from "../uris.ts";

/** What is known of images: in lists, one by one, and where their paths stand in a text. */
export function answerImages(
  answer: Answer,
  projects: Projects,
  scorer: ScorerProcess,
  connection: Connection,
  onScored: (files: string[]) => void,
): void {
  answer("leaf/images", async ({ config, query }) => (await projects.of(config).browser()).images(query));
  answer("leaf/bands", async ({ config }) => (await projects.of(config).browser()).bands());
  answer("leaf/thumbnails", async ({ config, hashes, size }, signal) => {
    const project = projects.of(config);
    const browser = await project.browser();
    const pictures = await Promise.all(
      hashes.map(async (hash) => {
        const row = browser.row(hash);
        return [hash, row ? await pictureOf(scorer, project, row, size, signal) : null] as const;
      }),
    );
    return Object.fromEntries(pictures);
  });
  answer("leaf/heatMap", async ({ uri }, signal) => {
    const found = await findImage(projects, fileOf(uri));
    if (!found) return null;
    return heatOf(scorer, found.project, { hash: found.row.hash, file: found.file }, signal);
  });
  answer("leaf/image", async ({ uri, rescore }, signal) => {
    const found = await findImage(projects, fileOf(uri));
    return found ? look(found, rescore ?? false, signal) : null;
  });
  answer("leaf/scores", ({ uris }) => Promise.all(uris.map((uri) => known(fileOf(uri)))));
  answer("leaf/score", async ({ uris, workDoneToken }, signal) =>
    scorePaths(projects, scorer, connection, uris.map(fileOf), { signal, workDoneToken, onScored }),
  );
  answer("leaf/pathsInText", ({ document, lines }) => {
    const places = placesOf(document);
    return lines.flatMap(({ line, text }) =>
      imagePathsInLine(text, places).map(({ start, end, file }) => ({ line, start, end, uri: uriOf(file) })),
    );
  });
  answer("leaf/imageHover", async ({ document, text, character }, signal) => {
    const at = imagePathAt(text, character, placesOf(document));
    const found = at && (await findImage(projects, at.file));
    if (!found) return null;
    const [view, heat] = await Promise.all([
      look(found, false, signal),
      // A hover is complete without it.
      heatOf(scorer, found.project, { hash: found.row.hash, file: found.file }, signal).catch((error) => {
        if (error instanceof LeafError && error.code !== "cancelled") return null;
        throw error;
      }),
    ]);
    view.heat = heat?.small ?? null;
    return { markdown: imageHover(view, isMarkdownLink(document, text, at)), start: at.start, end: at.end };
  });

  /** All that is known of an image, scored and pictured if it is not yet. */
  async function look(found: FoundImage, rescore: boolean, signal: AbortSignal): Promise<ImageView> {
    const { project, file } = found;
    const browser = await project.browser();
    let { row } = found;
    const unscored = rescore || row.score === null;
    const [, thumbnail] = await Promise.all([
      // An image that cannot be scored is shown without a score.
      unscored ? scoreNow(scorer, project, [{ hash: row.hash, file }], { signal }) : undefined,
      row.thumbnail ?? pictureOf(scorer, project, row, "small", signal),
    ]);
    if (unscored) {
      row = browser.rowOfPath(pathInProject(project, file)) ?? row;
      onScored([file]);
    }
    const context = await project.context();
    const { config, name, imagesName } = project.snapshot();
    return {
      row: { ...row, thumbnail },
      project: { config, name, imagesName },
      scorer: scorerInfo(context.scorer),
      mosRange: context.project.config.mos ? [...context.project.config.mos.range] : null,
    };
  }

  async function known(file: string) {
    for (const project of nearestFirst(projects, file)) {
      const browser = await project.browser().catch(() => undefined);
      const [score] = browser?.known([pathInProject(project, file)]) ?? [];
      if (score) return score;
    }
    return null;
  }

  /** Paths are looked up in the index, not on the disk: only images of a project have anything to tell. */
  function placesOf(document: string) {
    const documentFolder = document.startsWith("file:") ? path.dirname(fileOf(document)) : "";
    const opened = projects.all().flatMap((project) => {
      try {
        return [{ project, ...project.project() }];
      } catch {
        return []; // Its config is invalid just now.
      }
    });
    const roots = [
      ...projects.folders(),
      ...opened.map(({ root }) => root),
      ...opened.flatMap(({ root, config }) => imageFolders(root, config.images)),
    ];
    return {
      documentFolder: documentFolder || (roots[0] ?? ""),
      roots: [...new Set(roots)],
      exists: (file: string) =>
        projects.all().some((project) => project.hasImage(pathInProject(project, file))),
    };
  }
}
