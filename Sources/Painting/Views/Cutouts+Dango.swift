import Foundation
import Torch

/// What Disco Diffusion's `MakeCutoutsDango` shows over the way from noise to picture, which has a thousand
/// steps here however many are taken.
public struct DangoSchedules: Sendable, Hashable {
  /// Views of the whole picture on a black square (`cut_overview`).
  public var overviews: Schedule
  /// Random squares (`cut_innercut`).
  public var squares: Schedule
  /// Exponent of their sizes: below 1 they are larger, above smaller (`cut_ic_pow`).
  public var power: Schedule
  /// Share of them without colour, one more than that (`cut_icgray_p`).
  public var gray: Schedule

  /// The notebook's own schedules.
  public static let usual = Self(
    overviews: .runs((12, 400), (4, 600)), squares: .runs((4, 400), (12, 600)), power: 1,
    gray: .runs((0.2, 400), (0, 600)))

  /// Schedules; see the fields.
  public init(overviews: Schedule, squares: Schedule, power: Schedule, gray: Schedule) {
    (self.overviews, self.squares, self.power, self.gray) = (overviews, squares, power, gray)
  }

  /// What is shown at a place of the way, 0…1.
  /// - Parameter count: views in all; nil takes the schedules' own numbers.
  func views(at way: Double, of count: Int? = nil) -> DangoViews {
    let place = Int(max(0, min(1, way)) * 1000)
    func whole(_ schedule: Schedule) -> Int { max(0, Int(schedule.value(at: place).rounded())) }
    var views = DangoViews(
      overviews: whole(overviews), squares: whole(squares), power: power.value(at: place),
      gray: gray.value(at: place))
    if let count, views.count > 0 {
      let share = Double(views.overviews) / Double(views.count)
      views.overviews = max(1, min(count, Int((share * Double(count)).rounded())))
      views.squares = count - views.overviews
    }
    if views.count == 0 { views.overviews = 1 }
    return views
  }
}

/// What Dango's cutouts are at one step.
struct DangoViews: Equatable {
  var overviews: Int
  var squares: Int
  /// Exponent of the size of squares.
  var power: Double
  /// Share of squares without colour.
  var gray: Double

  var count: Int { overviews + squares }

  /// Whether the view of the whole is mirrored: there are up to four different ones, or more of one.
  func isMirrored(_ overview: Int) -> Bool { overviews <= 4 && overview >= 2 }

  /// Whether each view is without colour.
  var isGray: [Bool] {
    (0..<overviews).map { overviews <= 4 && $0 % 2 == 1 }
      + (0..<squares).map { $0 <= Int(gray * Double(squares)) }
  }
}

extension Cutouts {
  /// Disco Diffusion's views: first those of the whole picture, then squares.
  func overviewsAndSquares(_ iteration: Int, _ way: Double) -> ViewSet {
    let shown = dango?.views(at: way) ?? DangoSchedules.usual.views(at: way, of: count)
    var cutouts = self
    cutouts.count = shown.count
    let draws = cutouts.table("squares", iteration, 3)
    let steps = cutouts.steps(iteration)
    return ViewSet(
      look: { look(shown, draws, at: $0) }, steps: [Self.uncolored(shown.isGray)] + steps)
  }

  /// Dango's views in their colours.
  /// - Parameter draws: three uniform numbers for each view, of which squares take theirs.
  func look(_ shown: DangoViews, _ draws: [[Double]], at picture: Tensor) -> Tensor {
    let (height, width) = (picture.size(2), picture.size(3))
    let side = min(height, width)
    let (x, y) = ((height - side) / 2, (width - side) / 2)
    var views: [Tensor] = []
    if shown.overviews > 0 {
      let whole = RightCubic.resampled(picture.padded([x, x, y, y]), size, size)
      views = (0..<shown.overviews).map { shown.isMirrored($0) ? whole.flipped(3) : whole }
    }
    let smallest = min(side, size)
    views += draws.dropFirst(shown.overviews).map { u in
      let part = Int(pow(u[0], shown.power) * Double(side - smallest)) + smallest
      let square = Square(
        side: part, x: Int(u[1] * Double(width - part + 1)),
        y: Int(u[2] * Double(height - part + 1)))
      return RightCubic.resampled(square.cut(picture), size, size)
    }
    return concatenated(views, over: 0)
  }

  /// Takes the colour from some views.
  static func uncolored(_ isGray: [Bool]) -> ViewStep {
    .color { views in
      guard isGray.contains(true) else { return views }
      return isGray.mask(on: views.device).choose(SharedAugmentation.gray(views), views)
    }
  }
}

/// An augmentation as torchvision does it to a batch: chance draws once for all views.
struct SharedAugmentation {
  private let kind: Augmentation.Kind
  private let strength: Double
  private let size: Int

  /// The augmentation as Disco Diffusion has it; nil for those that it lacks.
  /// - Parameter size: height and width of the views.
  init?(_ augmentation: Augmentation, size: Int) {
    guard [.flip, .noise, .affine, .grayscale, .jitter].contains(augmentation.kind) else {
      return nil
    }
    (kind, strength, self.size) = (augmentation.kind, augmentation.strength, size)
  }

  /// What is done, with numbers of the streams that `stream` makes by name.
  func step(views: Int, _ stream: (String) -> RandomStream) -> ViewStep {
    let isGeometric = [.flip, .affine].contains(kind)
    if kind == .noise {
      let noise = stream("values").normal([views, 3, size, size])
      return ViewStep(isGeometric: isGeometric) { $0 + noise.to($0.device) * (0.01 * strength) }
    }
    let u = stream("draws").uniform([4]).floats().map(Double.init)
    let order = kind == .jitter ? stream("order").permutation(4).ints() : []
    return ViewStep(isGeometric: isGeometric) { apply($0, u, order) }
  }

  /// The views changed, all in the same way.
  /// - Parameters:
  ///   - views: `[B, C, S, S]`.
  ///   - u: uniform numbers: whether; angle and shifts; or the four factors.
  ///   - order: of brightness, contrast, saturation and hue.
  func apply(_ views: Tensor, _ u: [Double], _ order: [Int] = []) -> Tensor {
    func spread(_ index: Int, _ range: Double) -> Double { (2 * u[index] - 1) * range * strength }
    switch kind {
    case .flip: return u[0] < 0.5 * strength ? views.flipped(3) : views
    case .grayscale: return u[0] < 0.1 * strength ? Self.gray(views) : views
    case .affine:
      let side = Double(size)
      let shift = [1, 2].map { spread($0, 0.05 * side).rounded(.toNearestOrEven) * 2 / side }
      return Self.moved(
        views,
        .turning(spread(0, 10) * .pi / 180, shear: 0, shift: shift[0], shift[1]).inverse)
    case .jitter:
      return order.reduce(views) { views, change in
        let amount = spread(change, 0.1)
        return change == 3 ? Self.turned(views, amount) : Self.mixed(views, change, 1 + amount)
      }
    default: return views
    }
  }

  /// `0.2989 R + 0.587 G + 0.114 B` in all channels, by the weights of ITU-R BT.601.
  static func gray(_ x: Tensor) -> Tensor {
    let gray =
      x.narrowed(1, 0, 1) * 0.2989 + x.narrowed(1, 1, 1) * 0.587
      + x.narrowed(1, 2, 1) * 0.114
    return gray.expanded(x.shape)
  }

  /// All views through one map. What is read half from outside is blended with black once more, as
  /// torchvision does.
  private static func moved(_ x: Tensor, _ map: Homography) -> Tensor {
    let grid = Homography.grid([map], x.size(-1)).to(x.device)
    let inside = Tensor.ones([1, 1, x.size(2), x.size(3)], device: x.device).gridSampled(grid)
    let all = grid.expanded([x.size(0), x.size(2), x.size(3), 2])
    return x.gridSampled(all) * inside
  }

  /// Brightness, contrast or saturation times a factor: mixed with black, with the mean grey of each view,
  /// or with its own grey.
  private static func mixed(_ x: Tensor, _ change: Int, _ factor: Double) -> Tensor {
    let changed = x * factor
    guard change > 0 else { return changed.clamped(0, 1) }
    let gray = gray(x)
    let other = change == 1 ? gray.mean(over: [1, 2, 3], keepDims: true) : gray
    return (changed + other * (1 - factor)).clamped(0, 1)
  }

  /// The hue turned by a share of the circle. The strongest channel may lie beyond 0…1, the others may not.
  private static func turned(_ x: Tensor, _ share: Double) -> Tensor {
    let value = x.amax(over: [1], keepDims: true)
    let range = value - x.amin(over: [1], keepDims: true)
    let safe = range.clamped(1e-9, .infinity)
    let (r, g, b) = (x.narrowed(1, 0, 1), x.narrowed(1, 1, 1), x.narrowed(1, 2, 1))
    // Hue in sixths of the circle.
    let sixths = r.atLeast(value).choose(
      (g - b) / safe, g.atLeast(value).choose((b - r) / safe + 2, (r - g) / safe + 4))
    // Each channel is `value - range clamp(min(k, 4 - k), 0, 1)` with k = (n + h) mod 6, n = 5, 3, 1.
    let offsets = Tensor([5, 3, 1] as [Float], [1, 3, 1, 1]).to(x.device)
    let places = sixths + offsets + share * 6
    let k = places - ((places / 6).floor() * 6).detached()
    let ramp = k.minimum(4 - k).clamped(0, 1)
    let turned = value - range * ramp
    return ramp.equals(0).choose(turned, turned.clamped(0, 1))
  }
}

/// Resampling of ResizeRight (Shocher 2021): cubic, with a filter as wide as the picture shrinks, and black
/// beyond the edge.
enum RightCubic {
  /// `[B, C, H, W]` to `[B, C, height, width]`.
  static func resampled(_ x: Tensor, _ height: Int, _ width: Int) -> Tensor {
    var y = x
    if width != x.size(3) {
      let columns = Tensor(matrix(from: x.size(3), to: width), [width, x.size(3)]).to(x.device)
      y = y.matmul(columns.transposed())
    }
    if height != x.size(2) {
      y = Tensor(matrix(from: x.size(2), to: height), [height, x.size(2)]).to(x.device).matmul(y)
    }
    return y
  }

  /// What each pixel of the target takes from each of the source, in rows.
  static func matrix(from source: Int, to target: Int) -> [Float] {
    let scale = Double(target) / Double(source)
    let stretch = min(1, scale)
    let support = 4 / stretch
    let epsilon = Double(Float.ulpOfOne)
    let count = Int((support - epsilon).rounded(.up))
    var matrix = [Float](repeating: 0, count: source * target)
    for row in 0..<target {
      let place =
        Double(row) / scale + Double(source - 1) / 2 - Double(target - 1) / (2 * scale)
      let first = Int((place - support / 2 - epsilon).rounded(.up))
      let weights = (first..<(first + count)).map { cubic((place - Double($0)) * stretch) }
      let sum = weights.reduce(0, +)
      for (index, weight) in weights.enumerated() where (0..<source).contains(first + index) {
        matrix[row * source + first + index] += Float(weight / sum)
      }
    }
    return matrix
  }

  /// Keys 1981, with a slope of -0.5.
  private static func cubic(_ x: Double) -> Double {
    let x = abs(x)
    if x <= 1 { return (1.5 * x - 2.5) * x * x + 1 }
    return x <= 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0
  }
}

extension Schedule {
  /// Values with the number of steps of each.
  static func runs(_ runs: (Double, Int)...) -> Schedule {
    guard let schedule = Schedule(runs.map { "\($0.0)*\($0.1)" }.joined(separator: ",")) else {
      preconditionFailure("\(runs) are no runs")
    }
    return schedule
  }
}
