import Foundation
import Torch

/// The views of a picture that CLIP judges.
///
/// What is drawn depends on the seed, the iteration and the number of the view only: more views leave
/// the first ones as they are.
public struct Cutouts {
  /// Height and width of a view: CLIP's picture size.
  public var size: Int
  /// Number of views.
  public var count: Int
  /// Which views.
  public var mode: CutoutMode
  /// Exponent of the size of random squares: above 1 they are smaller, below larger.
  public var power: Double
  /// Share of views that show the whole picture in the mode `balanced`.
  public var wholeShare = 0.5
  /// What is done to the views, in order.
  public var augmentations: [Augmentation]
  /// The sizes and places of squares in the modes `big-sleep` and `deep-daze`.
  public var squares: SquareOptions
  /// What the mode `dango` shows on the way; nil shares `count` out as Disco Diffusion does its 16.
  public var dango: DangoSchedules?
  /// From which all random numbers derive.
  public var seed: UInt64

  /// - Parameters:
  ///   - size: CLIP's picture size.
  ///   - count: number of views.
  ///   - mode: which views.
  ///   - power: exponent of the size of random squares.
  ///   - augmentations: what is done to the views, in order; nil is what belongs to the mode.
  ///   - squares: sizes and places in the modes `big-sleep` and `deep-daze`.
  ///   - seed: from which all random numbers derive.
  public init(
    size: Int, count: Int, mode: CutoutMode = .balanced, power: Double = 1,
    augmentations: [Augmentation]? = nil, squares: SquareOptions = SquareOptions(), seed: UInt64
  ) {
    self.size = size
    self.count = count
    self.mode = mode
    self.power = power
    self.augmentations = augmentations ?? mode.augmentations
    self.squares = squares
    self.seed = seed
  }

  /// The views of iteration `iteration`, in about 0…1.
  /// - Parameters:
  ///   - picture: `[1, 3, H, W]` in 0…1.
  ///   - iteration: counted from 0.
  ///   - progress: the share of all iterations that is done.
  /// - Returns: `[count, 3, size, size]`; in the mode `dango` as many as its schedules say.
  public func callAsFunction(_ picture: Tensor, iteration: Int, progress: Double = 0) -> Tensor {
    views(iteration: iteration, progress: progress)(picture)
  }

  /// The views of iteration `iteration`, to be taken of any picture.
  /// - Parameter way: how much of the way from noise to picture is done, where that is not `progress`.
  public func views(iteration: Int, progress: Double = 0, way: Double? = nil) -> ViewSet {
    switch mode {
    case .balanced: balanced(iteration)
    case .latest, .updatedpooling:
      ViewSet(
        look: { picture in
          let whole = pooled(picture, size, size)
          return whole.expanded([count, whole.size(1), size, size])
        }, steps: steps(iteration))
    case .whole:
      ViewSet(
        look: { picture in
          picture.resampled(size, size, .bilinear).expanded([count, picture.size(1), size, size])
        }, steps: steps(iteration))
    case .original, .notebook:
      // Lanczos and cubic overshoot a little.
      ViewSet(
        look: randomSquares(iteration),
        steps: [.color { replacingGradient($0.clamped(0, 1), $0) }] + steps(iteration))
    case .updated, .nrupdated:
      ViewSet(look: randomSquares(iteration), steps: steps(iteration))
    case .pixray: ViewSet(look: zoomedAndWide(iteration), steps: steps(iteration))
    case .bigSleep, .deepDaze:
      ViewSet(look: sizedSquares(iteration, progress), steps: steps(iteration))
    case .dango: overviewsAndSquares(iteration, way ?? progress)
    }
  }

  /// The mean of average and maximum over a grid of nearly equal areas, as nerdyrodent pools; a
  /// picture that is too small for this is interpolated.
  func pooled(_ picture: Tensor, _ height: Int, _ width: Int) -> Tensor {
    if picture.size(2) == height && picture.size(3) == width { return picture }
    if picture.size(2) < height || picture.size(3) < width {
      return picture.resampled(height, width, .bilinear)
    }
    return
      (picture.adaptiveAveragePooled(height, width) + picture.adaptiveMaxPooled(height, width)) / 2
  }

  // MARK: Chance

  func stream(_ name: String, _ iteration: Int) -> RandomStream {
    RandomStream(seed: seed, "views \(iteration) \(name)")
  }

  /// `columns` uniform numbers for each view. The table fills row by row, so that a view's numbers do
  /// not depend on how many come after it.
  func table(_ name: String, _ iteration: Int, _ columns: Int) -> [[Double]] {
    let flat = stream(name, iteration).uniform([count, columns]).floats().map(Double.init)
    return (0..<count).map { Array(flat[($0 * columns)..<(($0 + 1) * columns)]) }
  }
}
