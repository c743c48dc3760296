import Torch

/// The views of one iteration, with all their random numbers drawn: the same views can be taken of
/// another picture, a masked one or one that the painted picture is to resemble.
public struct ViewSet {
  /// Shows every view its part of a picture: `[1, C, H, W]` to `[count, C, size, size]`.
  let look: (Tensor) -> Tensor
  /// What is done to them, in order.
  let steps: [ViewStep]

  /// The views as a perceptor is to see them.
  /// - Parameter picture: `[1, 3, H, W]` in 0…1.
  /// - Returns: `[count, 3, size, size]`, in about 0…1.
  public func callAsFunction(_ picture: Tensor) -> Tensor {
    steps.reduce(look(picture)) { $1.apply($0) }
  }

  /// Only where the views look: cut, moved and bent, without changed colours, noise and erased
  /// rectangles.
  /// - Parameter picture: `[1, C, H, W]`.
  /// - Returns: `[count, C, size, size]`
  public func read(_ picture: Tensor) -> Tensor {
    steps.reduce(look(picture)) { $1.isGeometric ? $1.apply($0) : $0 }
  }
}

/// One thing that is done to all views of an iteration.
struct ViewStep {
  /// Whether it moves what is seen and leaves colours alone.
  let isGeometric: Bool
  /// `[count, C, size, size]` to the same.
  let apply: (Tensor) -> Tensor

  /// Every view read again through a map of its own.
  static func warp(_ maps: [Homography], outside: Tensor.Outside) -> ViewStep {
    ViewStep(isGeometric: true) { views in
      guard maps.contains(where: { $0 != .identity }) else { return views }
      let grid = Homography.grid(maps, views.size(-1)).to(views.device)
      return views.gridSampled(grid, outside: outside)
    }
  }

  /// Colours changed.
  static func color(_ apply: @escaping (Tensor) -> Tensor) -> ViewStep {
    ViewStep(isGeometric: false, apply: apply)
  }
}

extension [Bool] {
  /// A mask over views, `[count, 1, 1, 1]`.
  func mask(on device: Device) -> Tensor {
    Tensor(map { $0 ? 1 : 0 } as [Float], [count, 1, 1, 1]).to(device).atLeast(0.5)
  }
}
