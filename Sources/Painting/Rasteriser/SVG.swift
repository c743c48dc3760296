import Imaging

/// Pieces of SVG documents (W3C, "Scalable Vector Graphics 1.1").
enum SVG {
  /// A document of these elements, one a line.
  static func document(width: Int, height: Int, _ elements: [String]) -> String {
    let size = "width=\"\(width)\" height=\"\(height)\" viewBox=\"0 0 \(width) \(height)\""
    return (["<svg xmlns=\"http://www.w3.org/2000/svg\" \(size)>"] + elements + ["</svg>", ""])
      .joined(separator: "\n")
  }

  /// A number with at most two decimals.
  static func number(_ value: Float) -> String {
    let hundredths = (Double(value) * 100).rounded()
    // A coordinate that far out, or none at all, is not worth an invalid file.
    guard abs(hundredths) < 1e15 else { return "0" }
    let whole = Int(hundredths)
    let (units, rest) = (abs(whole) / 100, abs(whole) % 100)
    let sign = whole < 0 ? "-" : ""
    if rest == 0 { return "\(sign)\(units)" }
    let decimals = rest % 10 == 0 ? "\(rest / 10)" : (rest < 10 ? "0\(rest)" : "\(rest)")
    return "\(sign)\(units).\(decimals)"
  }

  /// `name="#rrggbb"` of red, green and blue in 0…1, and `name-opacity` when a fourth number is
  /// not 1.
  static func paint(_ name: String, _ color: [Float]) -> String {
    func byte(_ value: Float) -> UInt8 { UInt8((min(max(value, 0), 1) * 255).rounded()) }
    let opaque = Color(red: byte(color[0]), green: byte(color[1]), blue: byte(color[2]))
    let paint = "\(name)=\"\(opaque)\""
    guard color.count > 3, color[3] < 1 else { return paint }
    return "\(paint) \(name)-opacity=\"\(number(max(color[3], 0)))\""
  }
}
