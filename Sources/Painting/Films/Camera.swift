import Foundation
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
    if film.edges == .wrap {
      return noGrad {
        wrapped(
          picture, zoom: zoom, turn: turn,
          shift: (film.shiftX.value(at: frame), film.shiftY.value(at: frame)))
      }
    }
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

  /// Shifted, then enlarged and turned around its middle, read linearly with its other end beyond each edge
  /// (Disco Diffusion's `warpPerspective` with `BORDER_WRAP`).
  private func wrapped(
    _ picture: Tensor, zoom: Double, turn: Double, shift: (x: Double, y: Double)
  ) -> Tensor {
    let (height, width) = (picture.size(2), picture.size(3))
    let (cx, cy) = (Double(width / 2), Double(height / 2))
    let (c, s) = (cos(turn * .pi / 180) / zoom, sin(turn * .pi / 180) / zoom)
    let x = (Tensor.arange(0..<width, .float32) - cx).reshaped(1, width)
    let y = (Tensor.arange(0..<height, .float32) - cy).reshaped(height, 1)
    /// The pixel before a place and the one behind, on the circle, and how far the place lies between.
    func neighbors(_ place: Tensor, _ size: Int) -> (before: Tensor, behind: Tensor, share: Tensor)
    {
      let first = place.floor()
      func around(_ place: Tensor) -> Tensor {
        (place - (place / Double(size)).floor() * Double(size)).clamped(0, Double(size - 1))
      }
      return (around(first), around(first + 1), place - first)
    }
    let columns = neighbors(x * c + y * s + (cx + shift.x), width)
    let rows = neighbors(y * c - x * s + (cy + shift.y), height)
    let flat = picture.reshaped(picture.size(1), height * width)
    func read(_ row: Tensor, _ column: Tensor) -> Tensor {
      let places = (row * Double(width) + column).to(.int64).reshaped(-1).to(picture.device)
      return flat.indexSelect(1, places).reshaped(picture.shape)
    }
    func mixed(_ a: Tensor, _ b: Tensor, _ share: Tensor) -> Tensor {
      a + (b - a) * share.to(picture.device)
    }
    let upper = mixed(
      read(rows.before, columns.before), read(rows.before, columns.behind), columns.share)
    let lower = mixed(
      read(rows.behind, columns.before), read(rows.behind, columns.behind), columns.share)
    return mixed(upper, lower, rows.share)
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
