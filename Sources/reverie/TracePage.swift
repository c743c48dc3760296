import Foundation
import Imaging
import Painting

/// How a picture came about as a page that needs no other file.
struct TracePage {
  let metadata: Metadata
  let picture: Picture
  let trace: Trace
  /// Whether it is the picture that was asked about, to the pixel.
  let isSame: Bool

  /// The HTML document.
  var html: String {
    get throws {
      let request = metadata.request
      let webp = try picture.encoded(as: .webp(quality: 90))
      let facts = [
        ("Method", request.method?.rawValue ?? ""), ("Seed", request.seed.map { "\($0)" } ?? ""),
        ("Size", "\(picture.width) × \(picture.height)"),
        ("Iterations", request.iterations.map { "\($0)" } ?? ""),
        ("Candidates", request.candidates.map { "\($0)" } ?? ""),
        ("Pack", "\(metadata.pack.id) \(metadata.pack.version)"),
      ].filter { !$0.1.isEmpty }
      let rows = facts.map { "<dt>\($0)</dt><dd>\(Self.escaped($1))</dd>" }.joined()
      return """
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>\(Self.escaped(request.prompt)) – how it came about</title>
        <style>
          :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
          body { max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
          h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
          h2 { font-size: 1.1rem; margin: 2rem 0 0; }
          img { max-width: 100%; border-radius: 6px; }
          dl { display: grid; grid-template-columns: auto 1fr; gap: .1rem 1rem; }
          dd { margin: 0; }
          figure { margin: 0; }
          figcaption { text-align: center; font-size: .85rem; font-variant-numeric: tabular-nums; }
          .looks { display: grid; grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); gap: .6rem; }
          .looks img { width: 100%; }
          .looks figure:only-child { grid-column: 1 / -1; max-width: 30rem; }
          svg { width: 100%; height: auto; }
          polyline { fill: none; stroke: #6a35c9; stroke-width: 1.5; vector-effect: non-scaling-stroke; }
          text { font: 5px system-ui, sans-serif; fill: currentColor; }
        </style>
        <h1>\(Self.escaped(request.prompt.isEmpty ? "A picture" : request.prompt))</h1>
        <img src="data:image/webp;base64,\(webp.base64EncodedString())" alt="\(Self.escaped(request.prompt))">
        <dl>\(rows)</dl>
        \(isSame ? "" : "<p>Painted on this machine it differs from the file that it was painted after.</p>")
        \(trace.panels.map(Self.section).joined(separator: "\n"))
        </html>

        """
    }
  }

  private static func section(_ panel: Trace.Panel) -> String {
    let looks = panel.looks.map { look in
      """
      <figure><img src="data:image/webp;base64,\(look.webp.base64EncodedString())" \
      alt="\(escaped("\(panel.title) \(look.caption)"))">\
      \(look.caption.isEmpty ? "" : "<figcaption>\(escaped(look.caption))</figcaption>")</figure>
      """
    }
    let row = looks.isEmpty ? "" : "<div class=\"looks\">\(looks.joined(separator: "\n"))</div>"
    return """
      <section><h2>\(escaped(panel.title))</h2><p>\(escaped(panel.text))</p>
      \(row)\(panel.curve.map(drawn) ?? "")</section>
      """
  }

  /// A curve with its highest and lowest number and its first and last step.
  private static func drawn(_ curve: Trace.Curve) -> String {
    let (low, high) = (curve.values.min() ?? 0, curve.values.max() ?? 1)
    let span = high > low ? high - low : 1
    let points = curve.values.enumerated().map { index, value in
      String(
        format: "%.1f,%.1f", 20 + 218 * Double(index) / Double(max(1, curve.values.count - 1)),
        4 + 70 * (high - value) / span)
    }
    let (top, bottom) = (String(format: "%.3g", high), String(format: "%.3g", low))
    return """
      <svg viewBox="0 0 240 84" role="img" aria-label="A curve between \(top) and \(bottom)">
      <text x="0" y="7">\(top)</text><text x="0" y="75">\(bottom)</text>
      <text x="20" y="82">\(curve.first)</text><text x="238" y="82" text-anchor="end">\(curve.last)</text>
      <polyline points="\(points.joined(separator: " "))"/></svg>
      """
  }

  private static func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: "\"", with: "&quot;")
  }
}
