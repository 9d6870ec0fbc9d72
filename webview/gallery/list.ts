import type { ImageRow } from "../../src/protocol/images.ts";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import type { Host } from "../host.ts";
import { createPages, type Pages } from "../pictures/pages.ts";
import { type GalleryFilter, queryOf } from "./filters.ts";

const pageSize = 100;

/** The images of a filter. Those of a new one take their place with its first answer: no blank screen at every letter typed. */
export interface ImageList {
  readonly pages: Pages<ImageRow>;
  open(project: ProjectSnapshot, filter: GalleryFilter, top: number): void;
  /** Opens the list where an image stands; its index, or -1. */
  openAt(project: ProjectSnapshot, filter: GalleryFilter, hash: string): Promise<number>;
  close(): void;
}

interface Options {
  host: () => Host;
  onChange(): void;
  /** Other images have taken the place of the old ones. */
  onOther(): void;
  onError(error: unknown): void;
}

export function createImageList({ host, onChange, onOther, onError }: Options): ImageList {
  let shown: Pages<ImageRow> | undefined;
  let coming: Pages<ImageRow> | undefined;

  function show(pages: Pages<ImageRow>): void {
    shown?.close();
    shown = pages;
    coming = undefined;
    onOther();
  }

  function make({ config, scorer }: ProjectSnapshot, filter: GalleryFilter): Pages<ImageRow> {
    const query = queryOf(filter, scorer);
    const pages = createPages<ImageRow>({
      fetch: (offset, limit) => host().request("leaf/images", { config, query: { ...query, offset, limit } }),
      onChange() {
        if (coming === pages) show(pages);
        onChange();
      },
      onError,
      pageSize,
    });
    coming?.close();
    if (shown) coming = pages;
    else shown = pages;
    return pages;
  }

  return {
    get pages() {
      if (!shown) throw new Error("open() comes first");
      return shown;
    },
    open(project, filter, top) {
      make(project, filter).look(top, top + 50);
    },
    async openAt(project, filter, hash) {
      const pages = make(project, filter);
      const query = { ...queryOf(filter, project.scorer), around: hash, offset: 0, limit: pageSize };
      const page = await host().request("leaf/images", { config: project.config, query });
      pages.fill(page.offset ?? 0, page);
      if (coming === pages) show(pages);
      return pages.find((row) => row.hash === hash);
    },
    close() {
      coming?.close();
      shown?.close();
      coming = shown = undefined;
    },
  };
}
