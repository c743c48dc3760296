import Foundation
import Imaging
import Torch

extension FilterKind {
  static let inpaint = FilterKind(
    "inpaint",
    "paints only where a mask is white, or clear; the picture to begin from stays elsewhere",
    arguments: [
      .file("mask", "the mask, fitted like the picture to begin from"),
      .number("blur", 0...64, default: 4, "pixels over which one fades into the other"),
      .choice(
        "area", ["auto", "whole", "masked"], default: "auto",
        "what is painted: the whole picture, or what is masked alone, at full size and with what is around it, so "
          + "that the prompt tells of that; auto is masked where the pack's networks paint"),
      .number(
        "padding", 0...1, default: 0.0625,
        "how much around it is seen then, as a share of the longer side"),
    ]
  ) { context in
    guard let mask = context.file("mask") else {
      throw RequestError.badValue(field: "inpaint.mask", reason: "is missing")
    }
    guard let painting = context.painting, let start = painting.request.initImage,
      let url = context.files[start.sha256]
    else {
      throw RequestError.badValue(
        field: "initImage", reason: "is missing: inpaint paints inside a picture")
    }
    return try InpaintFilter(
      start: Picture.read(from: url.path), mask: Picture.read(from: mask.path),
      fit: painting.request.initFit ?? .crop, blur: context.number("blur"),
      area: .of(painting.request, painting.method, painting.networks.pack, painting.files),
      width: context.width, height: context.height, device: context.device)
  }
}

/// Shows what is drawn inside a mask and the first picture outside it, so that views see both together
/// and only what is inside gets a gradient. At its final size the picture gets the first one's very
/// pixels back outside.
struct InpaintFilter: FinishingFilter, Keeping {
  private let start: Picture
  private let mask: Picture
  private let fit: Request.Fit
  private let blur: Double
  private let area: PaintedArea?
  /// `[1, 3, H, W]`, and `[1, 1, H, W]` with 1 where it is painted.
  private let seen: (start: Tensor, open: Tensor)

  /// - Parameters:
  ///   - mask: white, or clear where it has transparent pixels, is painted.
  ///   - blur: in pixels of what is painted, at `width` and `height`.
  ///   - area: what is painted; nil for the whole.
  init(
    start: Picture, mask: Picture, fit: Request.Fit, blur: Double, area: PaintedArea? = nil,
    width: Int, height: Int, device: Device
  ) throws {
    self.start = start
    self.mask = try Self.opening(of: mask)
    self.fit = fit
    self.blur = blur / Double(max(width, height))
    self.area = area
    let (start, open) = try Self.fitted(start, self.mask, fit, self.blur, area, width, height)
    seen = (start.to(device), open.to(device))
  }

  var kept: Kept? { Kept(picture: seen.start, open: seen.open) }

  func callAsFunction(_ picture: Tensor, iteration: Int?) -> (picture: Tensor, loss: Tensor?) {
    (picture * seen.open + seen.start * (1 - seen.open), nil)
  }

  func finish(_ picture: Picture) throws -> Picture {
    let (width, height) = (area?.width ?? picture.width, area?.height ?? picture.height)
    let painted =
      area == nil ? picture : try picture.resized(width: width, height: height, filter: .lanczos3)
    let (first, open) = try Self.fitted(start, mask, fit, blur, area, width, height)
    let filled = try Picture(painted.tensor() * open + first * (1 - open))
    guard let area else { return filled }
    let whole = try start.fitted(by: fit, area.whole.width, area.whole.height)
      .composited(over: .white)
    return try whole.replacing(filled, x: area.x, y: area.y)
  }

  /// White where the mask lets paint through, else black.
  static func opening(of mask: Picture) throws -> Picture {
    let bytes = mask.bytes
    let alphas = stride(from: 3, to: bytes.count, by: 4)
    let isCut = mask.channels == 4 && alphas.contains { bytes[$0] < 255 }
    var values: [UInt8] = []
    values.reserveCapacity(3 * mask.width * mask.height)
    for at in stride(from: 0, to: bytes.count, by: mask.channels) {
      let light = Int(bytes[at]) + Int(bytes[at + 1]) + Int(bytes[at + 2])
      let value: UInt8 = (isCut ? bytes[at + 3] < 128 : light > 381) ? 255 : 0
      for _ in 0..<3 { values.append(value) }
    }
    return try Picture(width: mask.width, height: mask.height, channels: 3, bytes: values)
  }

  /// Both at a size, `[1, 3, height, width]` and `[1, 1, height, width]`.
  private static func fitted(
    _ start: Picture, _ mask: Picture, _ fit: Request.Fit, _ blur: Double, _ area: PaintedArea?,
    _ width: Int, _ height: Int
  ) throws -> (Tensor, Tensor) {
    // A mask of another size is one of the same picture.
    let alike = try mask.resized(width: start.width, height: start.height, filter: .nearest)
    let open = try alike.fitted(by: fit, area, width, height).tensor().narrowed(1, 0, 1)
    return (
      try start.fitted(by: fit, area, width, height).tensor(),
      softened(open, blur * Double(max(width, height)))
    )
  }

  /// Blurred by a Gaussian that fades over so many pixels.
  private static func softened(_ open: Tensor, _ pixels: Double) -> Tensor {
    let radius = Int(pixels.rounded(.up))
    guard radius > 0 else { return open }
    let deviation = max(pixels / 2, 0.25)
    let taps = (-radius...radius).map { Float(exp(-Double($0 * $0) / (2 * deviation * deviation))) }
    let kernel = Tensor(taps, [1, 1, 1, taps.count]) / Double(taps.reduce(0, +))
    return open.padded([radius, radius, radius, radius], .replicate)
      .conv2d(kernel).conv2d(kernel.transposed(2, 3))
  }
}
