import Torch

/// How the camera of a film moves from frame to frame.
struct Camera {
  let film: Film

  /// The picture as the camera sees it next, `[1, 3, H, W]`: enlarged and turned around its middle, what
  /// lies beyond its edges mirrored, then shifted around (methods of nerdyrodent's zoom video, which has
  /// black there).
  /// - Parameter frame: the number of the frame that it makes the next one of, counted from 0.
  func callAsFunction(_ picture: Tensor, frame: Int) -> Tensor {
    let (zoom, turn) = (film.zoom.value(at: frame), film.turn.value(at: frame))
    let shift = [film.shiftX, film.shiftY].map { Int($0.value(at: frame).rounded()) }
    return noGrad {
      let (height, width) = (picture.size(2), picture.size(3))
      var moved = picture
      if zoom != 1 || turn != 0 {
        let aspect = Double(width) / Double(height)
        // A square in pixels, not in the picture's own -1…1.
        let map =
          Homography.scaling(1 / aspect, 1)
          * Homography.turning(-turn * .pi / 180, shear: 0, shift: 0, 0)
          * Homography.scaling(aspect / zoom, 1 / zoom)
        moved = moved.gridSampled(
          Self.grid(map, width, height).to(picture.device), .bicubic, outside: .reflection)
      }
      if shift[0] != 0 { moved = moved.rolled(-shift[0], over: 3) }
      if shift[1] != 0 { moved = moved.rolled(-shift[1], over: 2) }
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
