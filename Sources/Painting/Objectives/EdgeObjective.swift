import Torch

extension ObjectiveKind {
  static let edge = ObjectiveKind(
    "edge", "a colour or a picture along the borders",
    arguments: [
      .text("color", default: "white", "the colour"),
      .file("image", "a picture instead of the colour"),
      .file("mask", "a picture that is black where the colour is wanted, instead of the borders"),
      .number("thickness", 0...50, default: 5, "width of the borders in percent"),
      .number("left", 0...100, "width of the left border instead, in percent"),
      .number("right", 0...100, "width of the right border instead, in percent"),
      .number("top", 0...100, "height of the upper border instead, in percent"),
      .number("bottom", 0...100, "height of the lower border instead, in percent"),
      .number("overall", 0...10, default: 0.05, "how much the rest of the picture counts"),
    ]
  ) { context in
    func margin(_ name: String) -> Double {
      (context.numberIfGiven(name) ?? context.number("thickness")) / 100
    }
    let margins = EdgeObjective.Margins(
      left: margin("left"), right: margin("right"), top: margin("top"), bottom: margin("bottom"))
    guard margins.left + margins.right <= 1 else {
      throw RequestError.badValue(
        field: "left", reason: "and right are more than 100 percent together. Make one smaller")
    }
    guard margins.top + margins.bottom <= 1 else {
      throw RequestError.badValue(
        field: "top", reason: "and bottom are more than 100 percent together. Make one smaller")
    }
    // What is nearer to black is wanted; files of pictures hardly ever have a perfect black.
    let mask = try context.picture("mask").map {
      $0.mean(over: [1], keepDims: true).less(than: 0.5).to(.float32)
    }
    return EdgeObjective(
      target: try context.picture("image") ?? context.color("color"), wanted: mask,
      margins: margins, overall: context.number("overall"))
  }
}

/// A colour or a picture along the borders (pixray's `edge`):
///
/// ```
/// 0.1 (Σ MSE(border, target) + 0.05 MSE(picture, target))
/// ```
///
/// The upper and the lower border leave the corners to the others. With a mask, what it wants stands
/// for the borders, as a mean over the whole picture.
struct EdgeObjective: Objective {
  /// Shares of width and height.
  struct Margins {
    var left, right, top, bottom: Double
  }

  /// `[1, 3, 1, 1]` or `[1, 3, H, W]`.
  let target: Tensor
  /// `[1, 1, H, W]`, one where the target is wanted and zero elsewhere.
  var wanted: Tensor?
  var margins = Margins(left: 0.05, right: 0.05, top: 0.05, bottom: 0.05)
  /// How much the whole picture counts.
  var overall = 0.05

  func loss(_ observation: Observation) -> Tensor? {
    let picture = observation.picture
    let fitted = target.count == 3 ? target : target.resampled(as: picture)
    let errors = (picture - fitted).square()  // [1, 3, H, W]
    let everywhere = errors.mean() * overall
    if let wanted { return ((errors * wanted.resampled(as: picture)).mean() + everywhere) * 0.1 }
    let (height, width) = (picture.size(2), picture.size(3))
    let (left, right) = (Int(margins.left * Double(width)), Int(margins.right * Double(width)))
    let (top, bottom) = (Int(margins.top * Double(height)), Int(margins.bottom * Double(height)))
    let middle = errors.narrowed(3, left, width - left - right)
    let strips = [
      errors.narrowed(3, 0, left), errors.narrowed(3, width - right, right),
      middle.narrowed(2, 0, top), middle.narrowed(2, height - bottom, bottom),
    ]
    let losses = strips.filter { $0.count > 0 }.map { $0.mean() }
    return total(losses + [everywhere]).map { $0 * 0.1 }
  }
}
