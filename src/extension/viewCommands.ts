/** Commands that only views and menus offer; those that everybody uses are in src/protocol/commands.ts. */
export const viewCommandIds = {
  runFromView: "leaf.runFromView",
  openConfig: "leaf.openConfig",
  pinRun: "leaf.pinRun",
  unpinRun: "leaf.unpinRun",
  compareSelectedRuns: "leaf.compareSelectedRuns",
  diffRunConfig: "leaf.diffRunConfig",
  restoreRunConfig: "leaf.restoreRunConfig",
  deleteRun: "leaf.deleteRun",
  revealRun: "leaf.revealRun",
  refreshRuns: "leaf.refreshRuns",
  imagesByBand: "leaf.imagesByBand",
  imagesWorstFirst: "leaf.imagesWorstFirst",
  refreshImages: "leaf.refreshImages",
  moreImages: "leaf.moreImages",
  showImageInPanel: "leaf.showImageInPanel",
} as const;
