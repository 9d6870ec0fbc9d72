import { expect, test } from "vitest";
import { galleryActions } from "../../../webview/gallery/actions.ts";
import type { Host } from "../../../webview/host.ts";
import { pairActions } from "../../../webview/pairs/actions.ts";
import { rateActions } from "../../../webview/rate/actions.ts";
import { type Action, pressKey, tooltipOf } from "../../../webview/ui/actions.ts";
import { makeImages } from "../support/model/images.ts";

const host = {
  text: (message: string, ...values: (string | number)[]) =>
    message.replace(/\{(\d+)\}/g, (_, at) => String(values[Number(at)])),
} as Host;
const nothing = new Proxy({}, { get: () => () => {} }) as never;

const tables: [string, Record<string, Action>][] = [
  [
    "gallery",
    galleryActions({
      host,
      config: "",
      chosen: makeImages(1, 1, true),
      selected: true,
      asks: false,
      heatShown: false,
      does: nothing,
    }),
  ],
  [
    "pairs",
    pairActions({
      host,
      index: 0,
      total: 2,
      pair: undefined,
      canTakeBack: false,
      flickers: false,
      does: nothing,
    }),
  ],
  ["rate", rateActions({ host, session: nothing, waits: false, does: nothing })],
];

test.each(tables)("no key means two things in %s, and only a key that is there can be held", (_, actions) => {
  const keys = Object.values(actions).flatMap((action) => action.keys ?? []);
  expect(keys.length).toBeGreaterThan(5);
  expect(keys).toEqual([...new Set(keys)]);
  for (const { keys = [], held = [] } of Object.values(actions))
    expect(keys).toEqual(expect.arrayContaining([...held]));
});

test("a tooltip names the keys as they are read", () => {
  const tooltips = Object.fromEntries(
    tables.map(([name, actions]) => [
      name,
      Object.values(actions).flatMap((action) => (action.title ? [tooltipOf(host, action)] : [])),
    ]),
  );
  expect(tooltips.gallery).toContain("Leaves out of the dataset; asks first (Delete)");
  expect(tooltips.gallery).toContain("Part of a path (/)");
  expect(tooltips.pairs).toContain("A is better; overrules the teacher and goes on (←)");
  expect(tooltips.pairs).toContain("Next pair (j or PageDown)");
  expect(tooltips.pairs).toContain(
    "Flicker: A and B by turns in the same place (f; hold it for a moment's look)",
  );
  expect(tooltips.rate).toContain("excellent (5)");
  expect(tooltips.rate).toContain("Takes the last rating back (u or Ctrl+Z)");
  expect(tooltips.rate).toContain("Fit or actual size (z); the wheel zooms, dragging moves");
  expect(tooltipOf(host, { title: "Exclude", run: () => {} })).toBeUndefined();
});

test("a press is one act, a held key only where it may be; Ctrl and ⌘ are one, and Shift may be needed to type", () => {
  const done: string[] = [];
  const does = (word: string) => () => void done.push(word);
  const actions: Record<string, Action> = {
    zoom: { keys: ["+"], held: ["+"], run: does("zoom") },
    all: { keys: ["Ctrl+a"], run: does("all") },
    better: { keys: ["ArrowLeft"], run: does("better") },
    pan: { keys: ["Shift+ArrowLeft"], run: does("pan") },
    open: { keys: ["Enter"], heardInside: true, run: does("open") },
  };
  const press = (key: string, state: Partial<KeyboardEvent> = {}) =>
    pressKey(actions, { key, ...state } as KeyboardEvent);
  expect(press("+", { shiftKey: true })).toBe(true);
  expect(press("+", { repeat: true })).toBe(true);
  expect(press("a", { metaKey: true })).toBe(true);
  expect(press("ArrowLeft", { shiftKey: true })).toBe(true);
  expect(press("ArrowLeft")).toBe(true);
  // It means something, so the editor does not get it, but is not done again.
  expect(press("ArrowLeft", { repeat: true })).toBe(true);
  expect(press("a")).toBe(false);
  expect(press("ArrowLeft", { ctrlKey: true })).toBe(false);
  expect(press("Enter")).toBe(false);
  expect(done).toEqual(["zoom", "zoom", "all", "pan", "better"]);
});
