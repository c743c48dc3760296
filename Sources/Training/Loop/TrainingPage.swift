import Foundation

/// What a browser shows of a training while it runs: how far it is, its figures, curve and samples. The
/// page is a file in the run's folder that looks for itself anew until the training is done.
struct TrainingPage {
  let stage: String
  let report: Trainer.Report

  /// The HTML document.
  var html: String {
    let isDone = report.step >= report.steps
    let pace = Double(report.stepsHere) / max(report.seconds, 1e-3)
    let left = Duration.seconds(Double(report.steps - report.step) / max(pace, 1e-6))
    let state =
      isDone
      ? "done"
      : String(format: "%.2f steps a second, ", pace)
        + left.formatted(.time(pattern: .hourMinuteSecond)) + " left"
    let rows = report.figures.map { name, value in
      "<tr><th>\(Self.escaped(name))</th><td>\(String(format: "%.5g", value))</td></tr>"
    }
    return """
      <!doctype html>
      <html lang="en">
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width">
      \(isDone ? "" : "<meta http-equiv=\"refresh\" content=\"10\">")
      <title>\(Self.escaped(stage)) \(report.step)/\(report.steps)</title>
      <style>
        :root { color-scheme: light dark; font-family: system-ui, sans-serif; }
        body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
        progress { width: 100%; height: 1.2rem; }
        th { text-align: left; font-weight: normal; padding-right: 2rem; }
        td { font-variant-numeric: tabular-nums; }
        img { max-width: 100%; display: block; margin: 1rem 0; }
      </style>
      <h1>\(Self.escaped(stage))</h1>
      <progress max="\(report.steps)" value="\(report.step)"></progress>
      <p>Step \(report.step) of \(report.steps): \(state).</p>
      <table>\(rows.joined())</table>
      <img src="curve.png?\(report.step)" alt="The loss over the steps" onerror="this.remove()">
      <img src="samples/latest.png?\(report.step)" alt="Samples" onerror="this.remove()">
      </html>

      """
  }

  private static func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
  }
}
