import Foundation
import Imaging

/// A plot, a table or a diagram as SVG, dark on light or light on dark as the reader's screen is.
struct Drawing {
  let width: Int
  let height: Int
  /// What it shows, for who cannot see it.
  let title: String
  private var parts: [String] = []

  init(width: Int, height: Int, title: String) {
    (self.width, self.height, self.title) = (width, height, title)
  }

  /// The colours, by what they are for.
  enum Ink: String, CaseIterable {
    case text, soft, line, paper, a, b, c, d

    /// On light and on dark ground.
    fileprivate var colors: (light: String, dark: String) {
      switch self {
      case .text: ("#1f2328", "#e6edf3")
      case .soft: ("#59636e", "#9198a1")
      case .line: ("#d1d9e0", "#3d444d")
      case .paper: ("#ffffff", "#0d1117")
      case .a: ("#0969da", "#58a6ff")
      case .b: ("#cf222e", "#ff7b72")
      case .c: ("#1a7f37", "#56d364")
      case .d: ("#8250df", "#bc8cff")
      }
    }
  }

  enum Anchor: String { case start, middle, end }

  // MARK: Parts

  mutating func text(
    _ text: String, _ x: Double, _ y: Double, _ ink: Ink = .text, anchor: Anchor = .start,
    size: Int = 14, bold: Bool = false, mono: Bool = false
  ) {
    let look =
      (bold ? " font-weight=\"600\"" : "") + (mono ? " class=\"mono \(ink)\"" : " class=\"\(ink)\"")
    parts.append(
      "<text x=\"\(Self.shown(x))\" y=\"\(Self.shown(y))\" font-size=\"\(size)\" "
        + "text-anchor=\"\(anchor.rawValue)\"\(look)>\(Self.escaped(text))</text>")
  }

  mutating func line(
    _ points: [(x: Double, y: Double)], _ ink: Ink, width: Double = 1, dashed: Bool = false
  ) {
    let path = points.map { "\(Self.shown($0.x)),\(Self.shown($0.y))" }.joined(separator: " ")
    parts.append(
      "<polyline points=\"\(path)\" class=\"stroke-\(ink)\" stroke-width=\"\(Self.shown(width))\""
        + (dashed ? " stroke-dasharray=\"5 4\"" : "") + "/>")
  }

  /// A curve from a point to one below it, as a branch grows.
  mutating func branch(
    _ from: (x: Double, y: Double), _ to: (x: Double, y: Double), _ ink: Ink, width: Double = 1.5,
    dashed: Bool = false
  ) {
    let middle = (from.y + to.y) / 2
    let n = Self.shown
    parts.append(
      "<path d=\"M\(n(from.x)) \(n(from.y))C\(n(from.x)) \(n(middle)) \(n(to.x)) \(n(middle)) \(n(to.x)) \(n(to.y))\" "
        + "class=\"stroke-\(ink)\" stroke-width=\"\(n(width))\""
        + (dashed ? " stroke-dasharray=\"5 4\"" : "") + "/>")
  }

  /// - Parameter share: how much of the colour is seen where it is filled; nil for an outline.
  mutating func box(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ ink: Ink, share: Double? = nil,
    round: Double = 0, stroke: Double = 1
  ) {
    let n = Self.shown
    let look =
      share.map { "class=\"\(ink)\" fill-opacity=\"\(n($0))\"" }
      ?? "class=\"stroke-\(ink)\" stroke-width=\"\(n(stroke))\""
    parts.append(
      "<rect x=\"\(n(x))\" y=\"\(n(y))\" width=\"\(n(width))\" height=\"\(n(height))\" rx=\"\(n(round))\" \(look)/>"
    )
  }

  mutating func picture(
    _ picture: Picture, _ x: Double, _ y: Double, _ width: Double, _ height: Double
  ) throws {
    let n = Self.shown
    let data = try picture.encoded(as: .webp(quality: 86)).base64EncodedString()
    parts.append(
      "<image x=\"\(n(x))\" y=\"\(n(y))\" width=\"\(n(width))\" height=\"\(n(height))\" "
        + "href=\"data:image/webp;base64,\(data)\"/>")
  }

  // MARK: Writing

  /// The whole file.
  var svg: String {
    func rules(_ color: (Ink) -> String) -> String {
      Ink.allCases.map { ".\($0){fill:\(color($0))}.stroke-\($0){fill:none;stroke:\(color($0))}" }
        .joined()
    }
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" \
      viewBox="0 0 \(width) \(height)" role="img">
      <title>\(Self.escaped(title))</title>
      <style>text{font-family:system-ui,-apple-system,"Segoe UI","Noto Sans","DejaVu Sans",sans-serif}\
      .mono{font-family:ui-monospace,"SF Mono",Menlo,"DejaVu Sans Mono",monospace}\
      \(rules({ $0.colors.light }))\
      @media(prefers-color-scheme:dark){\(rules({ $0.colors.dark }))}</style>
      <rect class="paper" width="\(width)" height="\(height)" rx="8"/>
      \(parts.joined(separator: "\n"))
      </svg>

      """
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }

  /// A number with two digits behind the point at most.
  private static func shown(_ number: Double) -> String {
    let rounded = (number * 100).rounded() / 100
    return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
  }
}

// MARK: - Plots

/// A rectangle of a drawing in which numbers have places.
struct Axes {
  let x: ClosedRange<Double>
  let y: ClosedRange<Double>
  /// In the drawing, from its left upper corner.
  let left: Double, top: Double, width: Double, height: Double

  func place(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
    (
      left + (x - self.x.lowerBound) / (self.x.upperBound - self.x.lowerBound) * width,
      top + height - (y - self.y.lowerBound) / (self.y.upperBound - self.y.lowerBound) * height
    )
  }

  /// Draws lines at these numbers, with what they are called.
  func draw(
    onto drawing: inout Drawing, x ticks: [Double], _ xTitle: String, y lines: [Double],
    _ yTitle: String,
    shown: (Double) -> String = { $0 == $0.rounded() ? String(Int($0)) : String($0) }
  ) {
    for value in lines {
      let (_, height) = place(x.lowerBound, value)
      drawing.line([(left, height), (left + width, height)], .line)
      drawing.text(shown(value), left - 8, height + 4, .soft, anchor: .end, size: 12)
    }
    for value in ticks {
      drawing.text(
        shown(value), place(value, 0).x, top + height + 18, .soft, anchor: .middle, size: 12)
    }
    drawing.text(xTitle, left + width, top + height + 36, .soft, anchor: .end, size: 12)
    drawing.text(yTitle, left - 30, top - 10, .soft, size: 12)
  }

  func curve(
    _ values: [(x: Double, y: Double)], onto drawing: inout Drawing, _ ink: Drawing.Ink,
    width: Double = 2
  ) {
    drawing.line(values.map { place($0.x, $0.y) }, ink, width: width)
  }
}
