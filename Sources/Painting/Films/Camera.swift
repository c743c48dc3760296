import Torch

/// How the camera of a film moves from frame to frame.
struct Camera {
  let film: Film

  /// The picture as the camera sees it next, `[1, 3, H, W]`: enlarged and turned around its middle, what
  /// lies beyond its edges mirrored, then shifted around (methods of nerdyrodent's zoom video, which has
  /// black there).
  func callAsFunction(_ picture: Tensor) -> Tensor {
    noGrad {
      let (height, width) = (picture.size(2), picture.size(3))
      var moved = picture
      if film.zoom != 1 || film.turn != 0 {
        let aspect = Double(width) / Double(height)
        // A square in pixels, not in the picture's own -1…1.
        let map =
          Homography.scaling(1 / aspect, 1)
          * Homography.turning(-film.turn * .pi / 180, shear: 0, shift: 0, 0)
          * Homography.scaling(aspect / film.zoom, 1 / film.zoom)
        moved = moved.gridSampled(
          Self.grid(map, width, height).to(picture.device), .bicubic, outside: .reflection)
      }
      if film.shiftX != 0 { moved = moved.rolled(-film.shiftX, over: 3) }
      if film.shiftY != 0 { moved = moved.rolled(-film.shiftY, over: 2) }
      return moved.clamped(0, 1)
    }
  }

  /// Where every pixel reads, `[1, H, W, 2]`.
  private static func grid(_ map: Homography, _ width: Int, _ height: Int) -> Tensor {
    func centres(_ count: Int) -> Tensor {
      (Tensor.arange(0..<count, .float32) * 2 + 1) / Double(count) - 1
    }
    let x = centres(width).reshaped(1, width, 1).expanded([height, width, 1])
    let y = centres(height).reshaped(height, 1, 1).expanded([height, width, 1])
    let m = map.m
    let u = x * m[0] + y * m[1] + m[2]
    let v = x * m[3] + y * m[4] + m[5]
    return concatenated([u, v], over: 2).unsqueezed(0)
  }
}
