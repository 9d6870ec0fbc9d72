/**
 * Commands of the extension, all in the category LEAF. The first argument of those about a project is its config's URI as a
 * string; without it the current config is meant, then the only one, then one that is picked.
 */
export const commandIds = {
  newConfig: "leaf.newConfig",
  /** Has the current config picked. */
  switchConfig: "leaf.switchConfig",
  openDemo: "leaf.openDemo",
  run: "leaf.run",
  label: "leaf.label",
  /** The same, with the teacher on the cluster of the settings. */
  labelOnCluster: "leaf.labelOnCluster",
  distill: "leaf.distill",
  calibrate: "leaf.calibrate",
  evaluate: "leaf.evaluate",
  /** Shows prompt, tokens and label of three images. */
  dryRun: "leaf.dryRun",
  stop: "leaf.stop",
  /** (config, stage) opens the list of what the stage left out. */
  showFailures: "leaf.showFailures",
  /** (uri of an experiment) */
  runExperiment: "leaf.runExperiment",
  showExperiment: "leaf.showExperiment",
  newExperiment: "leaf.newExperiment",
  /** (config, tab?: PanelTab, focus?: { hash?, runs? }) */
  openPanel: "leaf.openPanel",
  reviewPairs: "leaf.reviewPairs",
  rateImages: "leaf.rateImages",
  changeRater: "leaf.changeRater",
  /** (config, runs?: string[]) */
  compareRuns: "leaf.compareRuns",
  /** (uri of an image or folder) */
  score: "leaf.score",
  setUpEnvironment: "leaf.setUpEnvironment",
  selectInterpreter: "leaf.selectInterpreter",
  setApiKey: "leaf.setApiKey",
  exportStudent: "leaf.exportStudent",
  /** (config, run?) */
  writeReport: "leaf.writeReport",
  exportLabels: "leaf.exportLabels",
  exportScores: "leaf.exportScores",
  showLog: "leaf.showLog",
  restartServer: "leaf.restartServer",
} as const;

export type CommandId = (typeof commandIds)[keyof typeof commandIds];
