import Torch

/// Draws by its pixels: the parameters are the picture.
struct PixelsDrawer: Drawer {
  /// `[1, 3, H, W]` in 0…1
  let pixels: Tensor

  /// Begins from grey with a little noise.
  init(width: Int, height: Int, stream: RandomStream, device: Device) {
    self.init(picture: (stream.normal([1, 3, height, width]) * 0.1 + 0.5).to(device))
  }

  /// Begins from a picture `[1, 3, H, W]` in 0…1.
  init(picture: Tensor) { pixels = picture.clamped(0, 1).contiguous().cloned().variable() }

  var parameters: [Tensor] { [pixels] }

  func render(_ iteration: Int?) -> Tensor { pixels }

  func project() { noGrad { pixels.assign(pixels.clamped(0, 1)) } }

  func begin(from picture: Tensor) -> Bool {
    noGrad { pixels.assign(picture.clamped(0, 1)) }
    return true
  }
}

extension Method {
  /// Plain pixels under CLIP's guidance.
  static let pixels = guided(
    "pixels", title: "pixels+CLIP", "Plain pixels are optimised",
    defaults: [
      "learningRate": .number(0.05),
      // Without it pixels become the noise that pleases this one CLIP.
      "objectives": .array([PartSpec("tv", weight: 5, ["kind": .string("isotropic")]).json]),
    ], limitsColors: true
  ) { context in
    PixelsDrawer(
      width: context.width, height: context.height, stream: context.stream("first codes"),
      device: context.device)
  }
}
