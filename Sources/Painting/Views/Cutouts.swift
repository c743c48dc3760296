import Foundation
import Models
import Torch

/// The views of a picture that CLIP judges.
///
/// Some show the whole picture: it is pooled once (mean of adaptive average and maximum, as
/// nerdyrodent's `latest`), and every such view is a warp of that one. The others show random squares
/// of it (the classic cutouts of Crowson's notebook). Square, affine map and perspective of a view
/// are one homography, and all views are read by one grid sampling for each source. Colour jitter and
/// noise differ from view to view; the erased rectangle is the same for all.
///
/// What is drawn depends on the seed, the iteration and the number of the view only.
public struct Cutouts: Sendable {
  /// Height and width of a view: CLIP's picture size.
  public var size: Int
  /// Number of views.
  public var count: Int
  /// Share of views that show the whole picture.
  public var wholeShare: Double
  /// What is done to the views.
  public var augmentations: Set<Augmentation>
  /// From which all random numbers derive.
  public var seed: UInt64

  /// - Parameters:
  ///   - size: CLIP's picture size.
  ///   - count: number of views.
  ///   - wholeShare: share of views that show the whole picture.
  ///   - augmentations: what is done to the views.
  ///   - seed: from which all random numbers derive.
  public init(
    size: Int, count: Int, wholeShare: Double = 0.5,
    augmentations: Set<Augmentation> = Set(Augmentation.allCases), seed: UInt64
  ) {
    self.size = size
    self.count = count
    self.wholeShare = wholeShare
    self.augmentations = augmentations
    self.seed = seed
  }

  static let degrees = 15.0
  static let shift = 0.1
  static let shear = 5.0
  static let distortion = 0.5
  static let probability = 0.7
  static let noise = 0.1

  /// One view: where it reads, and which of the shrunken pictures it reads from.
  struct View: Equatable {
    /// From the view's coordinates to the picture's, both -1…1.
    var map: Homography
    /// 0 is the pooled whole; 1 the picture, 2 the picture at half size, and so on.
    var source: Int
  }

  /// The views of iteration `iteration`, in about 0…1.
  /// - Parameter picture: `[1, 3, H, W]` in 0…1.
  /// - Returns: `[count, 3, size, size]`
  public func callAsFunction(_ picture: Tensor, iteration: Int) -> Tensor {
    let stream = RandomStream(seed: seed, "cutouts \(iteration)")
    let columns = 24
    let flat = stream.uniform([count, columns]).floats()
    let draws = (0..<count).map { Array(flat[($0 * columns)..<(($0 + 1) * columns)]) }
    let views = views(draws, height: picture.size(2), width: picture.size(3))

    var batch = read(views, from: picture)
    if augmentations.contains(.jitter) {
      let order = stream.permutation(4).ints()
      batch = ColorJitter()(batch, draws: draws.map { Array($0[14..<19]) }, order: order)
    }
    if augmentations.contains(.erasing), let mask = erased(stream.uniform([6]).floats()) {
      batch = batch * mask.to(batch.device)
    }
    if augmentations.contains(.noise) {
      let strength = Tensor(draws.map { $0[19] * Float(Self.noise) }, [count, 1, 1, 1])
      batch = batch + (stream.normal([count, 3, size, size]) * strength).to(batch.device)
    }
    return batch
  }

  // MARK: Where views read

  /// Views of the whole picture first, then squares from large to small.
  func views(_ draws: [[Float]], height: Int, width: Int) -> [View] {
    let whole = max(1, Int((Double(count) * wholeShare).rounded()))
    var views = draws.enumerated().map { index, draw in
      let d = draw.map(Double.init)
      let bend = warp(d)
      guard index >= whole else { return View(map: bend, source: 0) }
      // Classic squares are never smaller than CLIP's picture; where the whole picture is hardly
      // larger, they would all be the whole, so half the picture is allowed.
      let largest = Double(min(height, width))
      let smallest = min(largest, Double(size), max(1, largest / 2))
      let side = (d[0] * (largest - smallest) + smallest).rounded(.down)
      let (sx, sy) = (side / Double(width), side / Double(height))
      let (tx, ty) = ((2 * d[1] - 1) * (1 - sx), (2 * d[2] - 1) * (1 - sy))
      let level = max(0, Int(log2(side / Double(size)).rounded(.down)))
      return View(map: .scaling(sx, sy, shift: tx, ty) * bend, source: 1 + level)
    }
    views.sort { $0.source < $1.source }  // stable: equal sources keep their order
    return views
  }

  /// Perspective and affine map of one view, from the view's coordinates back to the unbent ones.
  private func warp(_ d: [Double]) -> Homography {
    var map = Homography.identity
    if augmentations.contains(.affine), d[3] < Self.probability {
      func spread(_ u: Double, _ range: Double) -> Double { (2 * u - 1) * range }
      map =
        map
        * Homography.turning(
          spread(d[4], Self.degrees) * .pi / 180, shear: spread(d[5], Self.shear) * .pi / 180,
          shift: spread(d[6], 2 * Self.shift), spread(d[7], 2 * Self.shift)
        ).inverse
    }
    if augmentations.contains(.perspective), d[8] < Self.probability {
      // Each corner moves inwards by up to half the distortion times the side.
      let reach = Self.distortion
      let corners = [
        (x: -1 + d[9] * reach, y: -1 + d[10] * reach),
        (x: 1 - d[11] * reach, y: -1 + d[12] * reach),
        (x: 1 - d[13] * reach, y: 1 - d[20] * reach), (x: -1 + d[21] * reach, y: 1 - d[22] * reach),
      ]
      map = map * Homography.square(to: corners).inverse
    }
    return map
  }

  // MARK: Reading

  private func read(_ views: [View], from picture: Tensor) -> Tensor {
    var parts: [Tensor] = []
    var start = 0
    while start < views.count {
      let source = views[start].source
      let end = views[start...].firstIndex { $0.source != source } ?? views.count
      let image = sourceImage(source, picture)
      let grid = grid(views[start..<end].map(\.map)).to(picture.device)
      let repeated = image.expanded([end - start, 3, image.size(2), image.size(3)])
      parts.append(repeated.gridSampled(grid, outside: .border))
      start = end
    }
    return parts.count == 1 ? parts[0] : concatenated(parts, over: 0)
  }

  private func sourceImage(_ source: Int, _ picture: Tensor) -> Tensor {
    switch source {
    case 0:
      let (height, width) = (picture.size(2), picture.size(3))
      if height == size && width == size { return picture }
      if height < size || width < size { return picture.resampled(size, size, .bilinear) }
      return
        (picture.adaptiveAveragePooled(size, size) + picture.adaptiveMaxPooled(size, size)) / 2
    case 1: return picture
    default: return picture.averagePooled(1 << (source - 1))
    }
  }

  /// Where every pixel of every view reads: `[B, size, size, 2]`.
  private func grid(_ maps: [Homography]) -> Tensor {
    noGrad {
      let n = size
      let centres = (Tensor.arange(0..<n, .float32) * 2 + 1) / Double(n) - 1
      let x = centres.reshaped(1, n, 1).expanded([n, n, 1])
      let y = centres.reshaped(n, 1, 1).expanded([n, n, 1])
      let points = concatenated([x, y, Tensor.ones([n, n, 1])], over: 2).reshaped(1, n * n, 3)
      let matrices = Tensor(maps.flatMap { $0.m.map(Float.init) }, [maps.count, 3, 3])
      let mapped = points.matmul(matrices.transposed())  // [B, n², 3]
      // Points behind the horizon lie far outside.
      let depth = mapped.narrowed(2, 2, 1).clamped(1e-3, .infinity)
      return (mapped.narrowed(2, 0, 2) / depth).clamped(-8, 8).reshaped(maps.count, n, n, 2)
    }
  }

  /// A mask with one rectangle of zeros, kornia's `RandomErasing` with scale (0.1, 0.4) and ratio
  /// (0.3, 3.3), or nil.
  func erased(_ u: [Float]) -> Tensor? {
    let u = u.map(Double.init)
    guard u[0] < Self.probability else { return nil }
    let area = (0.1 + 0.3 * u[1]) * Double(size * size)
    let aspect = u[2] < 0.5 ? 0.3 + 0.7 * u[3] : 1 + (1 / 0.3 - 1) * u[3]
    let height = min(size, max(1, Int((area * aspect).squareRoot().rounded())))
    let width = min(size, max(1, Int((area / aspect).squareRoot().rounded())))
    let top = Int(u[4] * Double(size - height + 1))
    let left = Int(u[5] * Double(size - width + 1))
    let hole = Tensor.zeros([1, 1, height, width])
    return hole.padded(
      [left, size - left - width, top, size - top - height], .constant, value: 1)
  }
}
