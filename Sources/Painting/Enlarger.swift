import Foundation
import Imaging
import Library
import Models
import Torch

/// Makes pictures larger with a network, in pieces that overlap, so that memory does not grow with the
/// picture.
struct Enlarger {
  let model: any SuperResolution
  let device: Device
  /// Side of a piece in small pixels, and how much of its surroundings it sees on each side.
  var piece = (side: 192, margin: 16)
  /// Called with the pieces done and their number.
  var report: (Int, Int) -> Void = { _, _ in }

  /// - Returns: the picture at the network's scale.
  func callAsFunction(_ picture: Picture) throws -> Picture {
    let large = try Picture(painted: enlarged(picture.tensor().to(device)))
    guard picture.channels == 4 else { return large }
    // The network knows colours alone; what can be seen through is resampled.
    let clear = try picture.resized(width: large.width, height: large.height).bytes
    var bytes = large.addingAlpha().bytes
    for alpha in stride(from: 3, to: bytes.count, by: 4) { bytes[alpha] = clear[alpha] }
    return try Picture(width: large.width, height: large.height, channels: 4, bytes: bytes)
  }

  /// - Parameter x: `[1, 3, H, W]` in 0…1
  /// - Returns: `[1, 3, scale H, scale W]` in 0…1, on the CPU
  func enlarged(_ x: Tensor) -> Tensor {
    let (height, width, scale) = (x.size(2), x.size(3), model.scale)
    let large = Tensor.zeros([1, 3, height * scale, width * scale])
    let tops = Array(stride(from: 0, to: height, by: piece.side))
    let lefts = Array(stride(from: 0, to: width, by: piece.side))
    for (row, top) in tops.enumerated() {
      for (column, left) in lefts.enumerated() {
        let rows = Span(top, height, piece), columns = Span(left, width, piece)
        let part = noGrad {
          let seen = x.narrowed(2, rows.from, rows.seen).narrowed(3, columns.from, columns.seen)
          let fold = model.folding
          func missing(_ side: Int) -> Int { (fold - side % fold) % fold }
          let even = seen.padded([0, missing(columns.seen), 0, missing(rows.seen)], .replicate)
          return model(even).clamped(0, 1).to(.cpu)
            .narrowed(2, rows.skip * scale, rows.count * scale)
            .narrowed(3, columns.skip * scale, columns.count * scale)
        }
        large.narrowed(2, top * scale, rows.count * scale)
          .narrowed(3, left * scale, columns.count * scale).assign(part)
        report(row * lefts.count + column + 1, tops.count * lefts.count)
      }
    }
    return large
  }

  /// A piece along one side: what it gives, and what it sees around it.
  private struct Span {
    let from: Int, seen: Int, skip: Int, count: Int

    init(_ start: Int, _ length: Int, _ piece: (side: Int, margin: Int)) {
      count = min(piece.side, length - start)
      // Pieces begin where the network folds.
      from = max(0, start - piece.margin)
      seen = min(length, start + count + piece.margin) - from
      skip = start - from
    }
  }
}

extension Engine {
  /// Most pixels a side that a picture is enlarged to.
  public static let largestSide = 8192

  /// Enlarges a picture with the pack's network, or with an installed one.
  /// - Parameters:
  ///   - scale: how many times larger each side becomes, 2 to 16.
  ///   - model: an installed network; nil is the pack's own, or the first that is installed.
  ///   - denoise: how much noise is removed, 0 to 1, by a network that has a sibling which keeps all of it;
  ///     nil is what the network does by itself.
  ///   - report: called with the pieces done and their number, each time that the picture is enlarged.
  /// - Throws: `RequestError` for a scale or size out of range; `StoreError` where there is no network.
  public func enlarge(
    _ picture: Picture, by scale: Int, model: String? = nil, denoise: Double? = nil,
    report: @Sendable (Int, Int) -> Void = { _, _ in }
  ) throws -> Picture {
    guard (2...16).contains(scale) else {
      throw RequestError.badValue(field: "scale", reason: "must be from 2 to 16, not \(scale)")
    }
    let most = Self.largestSide
    guard max(picture.width, picture.height) * scale <= most else {
      throw RequestError.badValue(
        field: "scale",
        reason: "makes more than \(most) pixels a side of \(picture.width) x \(picture.height)")
    }
    if let denoise, !(0...1).contains(denoise) {
      throw RequestError.badValue(field: "denoise", reason: "must be from 0 to 1, not \(denoise)")
    }
    provider.begin()
    let networks = networks(device.fastFloat)
    let network = try networks.upscaler(of: model, denoise: denoise)
    return try networks.enlarged(
      picture, with: network, width: picture.width * scale, height: picture.height * scale,
      report: report)
  }
}

extension Resolver {
  /// Whether the pack or the store has a network that makes pictures larger.
  public var canEnlarge: Bool {
    Architecture.superResolution.contains { type in
      pack.network(type.architecture.id) != nil || !library.installed(type.architecture).isEmpty
    }
  }
}

extension Networks {
  /// A picture as the pack's network enlarges it to a size; nil where the pack has none.
  func enlargedByPack(_ picture: Picture, width: Int, height: Int) throws -> Picture? {
    guard Architecture.superResolution.contains(where: { pack.network($0.architecture.id) != nil })
    else { return nil }
    return try enlarged(picture, with: upscaler(), width: width, height: height)
  }

  /// The network that makes pictures larger: of the installed model that is named, else the pack's, else
  /// the first that is installed.
  /// - Parameter denoise: as for `Engine.enlarge`.
  func upscaler(of model: String? = nil, denoise: Double? = nil) throws -> any SuperResolution {
    let types = Architecture.superResolution
    func isThere(_ type: any SuperResolution.Type, of model: String?) -> Bool {
      model.map { provider.library.installed(type.architecture).contains($0) }
        ?? (pack.network(type.architecture.id) != nil)
    }
    let type =
      types.first { isThere($0, of: model) }
      ?? types.first { model == nil && !provider.library.installed($0.architecture).isEmpty }
      ?? types[0]
    func open<N: SuperResolution>(_ type: N.Type) throws -> any SuperResolution {
      guard let denoise else { return try network(type, of: model) }
      guard let model, let (noisy, clean) = Self.siblings(model) else {
        throw RequestError.badValue(
          field: "denoise",
          reason: "is for --model realesr-general-x4v3, which has a sibling that keeps noise")
      }
      return try provider.blended(type, clean, noisy, share: denoise, dtype)
    }
    return try open(type)
  }

  /// The names of a network that keeps noise and of the one that removes it, as Real-ESRGAN calls them.
  private static func siblings(_ id: String) -> (noisy: String, clean: String)? {
    guard !id.contains("-wdn-") else { return (id, id.replacing("-wdn-", with: "-")) }
    return id.range(of: "-", options: .backwards).map {
      (id.replacingCharacters(in: $0, with: "-wdn-"), id)
    }
  }

  /// A picture at another size: enlarged as often as it takes, then resampled to the pixel.
  func enlarged(
    _ picture: Picture, with network: any SuperResolution, width: Int, height: Int,
    report: (Int, Int) -> Void = { _, _ in }
  ) throws -> Picture {
    try withoutActuallyEscaping(report) { report in
      var picture = picture
      let enlarger = Enlarger(model: network, device: device, report: report)
      while network.scale > 1, picture.width < width || picture.height < height {
        picture = try enlarger(picture)
      }
      return try picture.resized(width: width, height: height, filter: .lanczos3)
    }
  }
}
