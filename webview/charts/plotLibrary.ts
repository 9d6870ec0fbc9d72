/** What the charts use of Observable Plot, so that the rest is not in the file that `loadPlot` fetches. */
export {
  axisX,
  axisY,
  binX,
  binY,
  dot,
  gridX,
  gridY,
  line,
  lineY,
  plot,
  rectX,
  rectY,
  ruleX,
  ruleY,
  text,
} from "@observablehq/plot";
