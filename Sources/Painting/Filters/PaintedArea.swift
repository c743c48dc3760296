import Foundation
import Imaging
import Library
import Models

/// The part of a picture that is painted where a hole in it is filled, as large as the whole would be, and laid
/// back in afterwards: AUTOMATIC1111's "only masked". A network that knows things one at a time then has room
/// for one.
struct PaintedArea: Equatable {
  /// Left edge, in pixels of the picture that is asked for.
  let x: Int
  /// Upper edge.
  let y: Int
  /// In pixels; so is the height, in the proportions of the whole.
  let width: Int
  let height: Int
  /// The whole picture.
  let whole: Metadata.Size

  /// Around what a mask leaves open; nil where that is nothing, or nearly the whole.
  /// - Parameters:
  ///   - open: white there, of the size of the picture that is asked for.
  ///   - padding: what is seen around it, as a share of the longer side.
  init?(_ open: Picture, padding: Double) {
    let bytes = open.bytes
    var (left, right, top, bottom) = (open.width, -1, open.height, -1)
    for row in 0..<open.height {
      for column in 0..<open.width
      where bytes[(row * open.width + column) * open.channels] > 127 {
        (left, right) = (min(left, column), max(right, column))
        (top, bottom) = (min(top, row), max(bottom, row))
      }
    }
    guard right >= left else { return nil }
    let (w, h) = (Double(open.width), Double(open.height))
    let margin = 2 * padding * max(w, h)
    // Less would be painted of pixels that are not there.
    let share = max(
      (Double(right - left + 1) + margin) / w, (Double(bottom - top + 1) + margin) / h, 1.0 / 8)
    guard share < 0.9 else { return nil }
    whole = .init(width: open.width, height: open.height)
    (width, height) = (max(1, Int(share * w)), max(1, Int(share * h)))
    x = min(max(0, (left + right + 1 - width) / 2), whole.width - width)
    y = min(max(0, (top + bottom + 1 - height) / 2), whole.height - height)
  }

  /// The part of a picture.
  /// - Parameter picture: of the size of the whole.
  func cut(_ picture: Picture) throws -> Picture {
    try picture.cropped(x: x, y: y, width: width, height: height)
  }
}

extension PaintedArea {
  /// What a resolved request that fills a hole has painted; nil for the whole.
  static func of(
    _ request: Request, _ method: Method, _ pack: Pack, _ files: Attachments
  ) throws -> PaintedArea? {
    guard let part = request.filters?.first(where: { $0.name == FilterKind.inpaint.name }),
      let file = part.arguments["mask"].flatMap(FileReference.init(json:)),
      let start = request.initImage, let width = request.width, let height = request.height
    else { return nil }
    let arguments = FilterKind.inpaint.arguments.filled(part.arguments)
    switch arguments["area"] {
    case .string("masked"): break
    case .string("auto"):
      // Those of the pack know things one at a time; others know the world.
      let looks = try request.clip.map { try Perceptor.Choice.parse($0).map(\.id) } ?? ["pack"]
      let draws = method.components.first.map {
        $0.takesPacks && pack.network($0.architecture) != nil
      }
      guard request.model == nil, draws ?? true, looks == ["pack"] else { return nil }
    default: return nil
    }
    let padding =
      switch arguments["padding"] {
      case .number(let share): share
      case .integer(let share): Double(share)
      default: 0.0
      }
    let size = try Picture.read(from: files.url(start).path)
    let mask = try InpaintFilter.opening(of: .read(from: files.url(file).path))
    return PaintedArea(
      try mask.resized(width: size.width, height: size.height, filter: .nearest)
        .fitted(by: request.initFit ?? .crop, width, height), padding: padding)
  }
}
