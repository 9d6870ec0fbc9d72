import { type Diagnostic, DiagnosticSeverity } from "vscode-languageserver/node";
import type { ConfigDocument } from "./configDocument.ts";
import type { FactProblem } from "./context.ts";
import { type Problem, problemsOf } from "./problems.ts";

const severities = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  info: DiagnosticSeverity.Information,
};

/** What is wrong with a config and its data, where it is written. */
export function diagnose(config: ConfigDocument, facts: FactProblem[]): Diagnostic[] {
  return diagnosticsOf(config, problemsOf(config, facts));
}

export function diagnosticsOf(config: ConfigDocument, problems: Problem[]): Diagnostic[] {
  return problems.map(({ span, message, severity, code }) => ({
    range: config.range(...span),
    message,
    severity: severities[severity],
    code,
    source: "leaf",
  }));
}
