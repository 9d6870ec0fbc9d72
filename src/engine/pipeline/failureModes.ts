import type { EvaluationFacts, Finding } from "../../protocol/results.ts";
import type { Text } from "../../protocol/text.ts";
import { figure } from "../../words/figure.ts";
import { inEnglish, say } from "../../words/text.ts";

/** Ranks are good, yet a line through the scores is not: by at least so much. */
const linearGap = 0.1;
const goodRanks = 0.6;
/** Differences of SRCC below these are noise on a hundred images. */
const teacherGap = 0.05;
const calibrationGap = 0.05;
/** Held-out error this many times the calibration images' own, and this share of the scale above it. */
const overfitRatio = 2;
const overfitGap = 0.05;
const leastCalibration = 5;
/** Scores that spread less than this share of the MOS' spread hardly tell images apart. */
const collapsedShare = 0.25;
const transferGap = 0.2;

interface Found {
  code: Finding["code"];
  message: Text;
  remedy: Text;
}
type FailureMode = (facts: EvaluationFacts) => Found | undefined;

const nonlinear: FailureMode = ({ student, srcc, plcc }) => {
  if (student !== "calibrate" || srcc === null || plcc === null) return;
  if (srcc < goodRanks || srcc - plcc < linearGap) return;
  return {
    code: "nonlinear",
    message: say`The ranks agree (SRCC ${figure(srcc)}) but the scores do not lie on a line (PLCC ${figure(plcc)}): the calibration images do not cover the scale.`,
    remedy: say`Rate images over the whole scale (\`calibrate.selection: quantile\`), or raise \`calibrate.loss.plcc\`.`,
  };
};

const belowTeacher: FailureMode = ({ student, srcc, teacherSrcc }) => {
  if (srcc === null || teacherSrcc === null || teacherSrcc - srcc < teacherGap) return;
  return {
    code: "belowTeacher",
    message:
      student === "distill"
        ? say`The distilled student ranks worse (SRCC ${figure(srcc)}) than its teacher (${figure(teacherSrcc)}) on the same images.`
        : say`The calibrated student ranks worse (SRCC ${figure(srcc)}) than its teacher (${figure(teacherSrcc)}) on the same images.`,
    remedy: say`Raise \`distill.epochs\` or \`label.pairsPerImage\`, or show the student more of the image (\`student.input\`, \`views: whole\`).`,
  };
};

const calibrationHurts: FailureMode = ({ student, srcc, distilledSrcc }) => {
  if (student !== "calibrate" || srcc === null || distilledSrcc === null) return;
  if (distilledSrcc - srcc < calibrationGap) return;
  return {
    code: "calibrationHurts",
    message: say`Calibration made the ranks worse: SRCC ${figure(distilledSrcc)} before, ${figure(srcc)} after.`,
    remedy: say`Lower \`calibrate.lr\`, calibrate the head alone (\`calibrate.headOnlyBelow\`), or rate more images.`,
  };
};

const overfitCalibration: FailureMode = ({ rmse, calibration, range }) => {
  if (!calibration || calibration.n < leastCalibration) return;
  if (rmse < overfitRatio * calibration.rmse || rmse - calibration.rmse < overfitGap * range) return;
  return {
    code: "overfitCalibration",
    message: say`It fits its ${calibration.n} calibration images (RMSE ${figure(calibration.rmse)}) much better than others (${figure(rmse)}): it has learnt them by heart.`,
    remedy: say`Lower \`calibrate.epochs\`, calibrate the head alone (\`calibrate.headOnlyBelow\`), or rate more images (\`leaf select\`).`,
  };
};

const collapsed: FailureMode = ({ n, spread }) => {
  if (n < 3 || !(spread.mos > 0) || spread.scores >= collapsedShare * spread.mos) return;
  return {
    code: "collapsed",
    message: say`The scores hardly differ: their standard deviation is ${figure(spread.scores)}, that of the MOS ${figure(spread.mos)}.`,
    remedy: say`Raise \`calibrate.loss.plcc\` or the epochs, and check whether the teacher's own scores differ (\`leaf reliability\`).`,
  };
};

const poorTransfer: FailureMode = ({ srcc, elsewhere = [] }) => {
  if (srcc === null) return;
  const poor = elsewhere.filter((one) => one.srcc !== null && srcc - one.srcc >= transferGap);
  if (poor.length === 0) return;
  const named = poor.map((one) => `${one.dataset} (${figure(one.srcc!)}, n = ${one.n})`).join(", ");
  return {
    code: "poorTransfer",
    message: say`It ranks images like these (SRCC ${figure(srcc)}) much better than those of ${named}.`,
    remedy: say`Add unlabelled images of that kind to \`images:\`, so that the teacher judges them and the student learns them.`,
  };
};

const failureModes = [collapsed, belowTeacher, calibrationHurts, overfitCalibration, nonlinear, poorTransfer];

/**
 * The ways to fail that LEAF's paper names (arXiv 2601.20689) and their kin, each with what to do about it. Facts that are
 * unknown (null) point at nothing.
 */
export function findFailureModes(facts: EvaluationFacts): Finding[] {
  return failureModes.flatMap((mode) => {
    const found = mode(facts);
    if (!found) return [];
    const { code, ...words } = found;
    return { code, message: inEnglish(words.message), remedy: inEnglish(words.remedy), words };
  });
}
