import Foundation
import Imaging
import Torch

extension Engine {
  /// What a guided painting begins from, `[1, 3, H, W]` in 0…1; nil for the drawer's own way.
  nonisolated func startPicture(
    _ request: Request, _ files: Attachments, _ size: Metadata.Size
  ) throws -> Tensor? {
    guard let reference = request.initImage else {
      let stream = RandomStream(seed: UInt64(request.seed ?? 0), "first picture")
      return request.initNoise?.tensor(width: size.width, height: size.height, from: stream)
    }
    let given = try Picture.read(from: files.url(reference).path)
    return try given.fitted(by: request.initFit ?? .crop, size.width, size.height).tensor()
  }
}

extension Picture {
  /// The picture at another size, in the way that is asked for.
  func fitted(by fit: Request.Fit, _ width: Int, _ height: Int) throws -> Picture {
    switch fit {
    case .crop: try filled(width: width, height: height)
    case .pad: try fitted(width: width, height: height)
    case .stretch: try resized(width: width, height: height, filter: .lanczos3)
    }
  }
}
