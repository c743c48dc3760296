import Foundation
import Imaging
import Painting
import Weights

/// A picture to begin from, with its reference for the request.
struct InitImage {
  let picture: Picture
  let reference: Request.ImageReference

  /// Reads a picture file.
  init(path: String) throws {
    let url = URL(filePath: path)
    picture = try Picture.read(from: path)
    reference = Request.ImageReference(
      name: url.lastPathComponent, sha256: try Checksum.sha256(of: url))
  }
}
