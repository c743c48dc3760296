import Models
import Torch

/// Draws with a network that enlarges pictures: the parameter is the small picture (pixray's
/// `super_resolution`).
struct SuperResolutionDrawer: Drawer {
  /// `[1, 3, h, w]` in 0…1
  let small: Tensor
  private let model: RRDBNet
  private let width: Int
  private let height: Int

  /// Begins from grey with a little noise.
  init(_ model: RRDBNet, width: Int, height: Int, stream: RandomStream, device: Device) {
    self.model = model
    (self.width, self.height) = (width, height)
    let config = model.config
    // As many pixels as cover the picture, and as the network can fold.
    func size(_ full: Int) -> Int {
      let least = (full + config.scale - 1) / config.scale
      return (least + config.folding - 1) / config.folding * config.folding
    }
    let noise = stream.normal([1, 3, size(height), size(width)])
    small = (noise * 0.1 + 0.5).clamped(0, 1).to(device).variable()
  }

  var parameters: [Tensor] { [small] }

  var latent: Tensor? { small }

  func latent(of picture: Tensor) -> Tensor? {
    picture.resampled(small.size(2), small.size(3), .bilinear, antialias: true)
  }

  func render(_ iteration: Int?) -> Tensor {
    model(small).narrowed(2, 0, height).narrowed(3, 0, width)
  }

  func project() { noGrad { small.assign(small.clamped(0, 1)) } }

  func begin(from picture: Tensor) -> Bool {
    noGrad {
      let scale = model.config.scale
      let margins = [0, small.size(3) * scale - width, 0, small.size(2) * scale - height]
      let whole = picture.padded(margins, .replicate)
      let shrunk = whole.resampled(small.size(2), small.size(3), .bilinear)
      small.assign(shrunk.clamped(0, 1))
    }
    return true
  }
}

extension Method {
  /// A small picture, enlarged by Real-ESRGAN, under CLIP's guidance.
  static let superResolution = guided(
    "super-resolution", title: "Super-resolution",
    "Draws a small picture that ESRGAN or Real-ESRGAN enlarges",
    by: [.init("generator", RRDBNet.architecture.id, title: "ESRGAN")]
  ) { context in
    let painting = try context.ofPainting()
    let model = try painting.networks.network(
      RRDBNet.self, in: painting.method.components[0], of: painting.request.model)
    return SuperResolutionDrawer(
      model, width: context.width, height: context.height,
      stream: context.stream("first pixels"), device: context.device)
  }
}
