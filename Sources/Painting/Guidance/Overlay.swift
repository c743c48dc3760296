import Foundation
import Imaging
import Torch

/// A picture that is laid over another one.
struct Overlay {
  /// `[1, 3, H, W]` in 0…1
  let color: Tensor
  /// How much of it is seen, `[1, 1, H, W]`.
  let alpha: Tensor

  /// The overlay of a request; nil where it has none.
  init?(_ context: PipelineContext) throws {
    guard let reference = context.request.overlay else { return nil }
    try self.init(
      Picture.read(from: context.files.url(reference).path), width: context.size.width,
      height: context.size.height, alpha: context.request.overlayAlpha ?? 1, context.device)
  }

  /// - Parameters:
  ///   - picture: cut to the proportions that are wanted; its own transparency counts.
  ///   - alpha: of the whole.
  init(_ picture: Picture, width: Int, height: Int, alpha: Double, _ device: Device) throws {
    let fitted = try picture.filled(width: width, height: height)
    // Over white and over black: what differs is what shines through.
    let white = fitted.composited(over: .white)
    let black = fitted.composited(over: .black)
    func tensor(_ picture: Picture) -> Tensor { picture.tensor().to(device) }
    let covered = 1 - (tensor(white) - tensor(black)).mean(over: [1], keepDims: true)
    self.alpha = covered.clamped(0, 1) * alpha
    color = (tensor(black) / covered.clamped(1e-3, 1)).clamped(0, 1)
  }

  /// A picture `[1, 3, H, W]` under the overlay.
  func laid(over picture: Tensor) -> Tensor { picture * (1 - alpha) + color * alpha }
}
