import Torch

extension Cutouts {
  /// pixray's views: the first 60 % show a part of the picture, bent and enlarged; the others the
  /// whole with a margin of grey, bent a little. Of a picture that is not square the sides stand in
  /// their proportion.
  ///
  /// All maps of a view are one, as pixray itself has it for masked pictures: between them nothing is
  /// lost at a frame.
  func zoomedAndWide(_ iteration: Int) -> (Tensor) -> Tensor {
    let draws = table("pixray", iteration, 31)
    let gray = stream("gray", iteration).uniform([1]).item()
    let zoomed = count * 3 / 5
    return { picture in
      let aspect = Double(picture.size(3)) / Double(picture.size(2))
      let height = aspect < 1 ? Int(Double(size) / aspect) : size
      let width = aspect > 1 ? Int(Double(size) * aspect) : size
      let whole = pooled(picture, height, width)
      func read(_ views: Range<Int>, _ outside: Tensor.Outside, _ source: Tensor) -> Tensor {
        let maps = views.map {
          $0 < zoomed ? zoom(draws[$0], width, height) : wide(draws[$0], width, height)
        }
        return source.expanded([views.count, source.size(1), height, width])
          .gridSampled(Homography.grid(maps, size).to(source.device), outside: outside)
      }
      var parts: [Tensor] = []
      if zoomed > 0 {
        parts.append(read(0..<zoomed, iteration % 2 == 0 ? .reflection : .border, whole))
      }
      if zoomed < count { parts.append(read(zoomed..<count, .zeros, whole - gray) + gray) }
      return concatenated(parts, over: 0)
    }
  }

  /// Perspective, then a part of it.
  func zoom(_ u: [Double], _ width: Int, _ height: Int) -> Homography {
    let box = Homography.Box.random(
      of: width, height, area: 0.25...0.95, ratio: 0.85...1.2, Array(u[9...]))
    let part = Homography.crop(box, of: width, height, to: size)
    return u[0] < 0.7 ? perspective(Array(u[1..<9]), 0.4, width, height) * part : part
  }

  /// The whole made smaller until it fits, moved within the square around the middle; then
  /// perspective.
  func wide(_ u: [Double], _ width: Int, _ height: Int) -> Homography {
    let (w, h) = (Double(width), Double(height))
    let fit = width == height ? 0.95 : min(w, h) / max(w, h)
    let smallest = width == height ? fit : 0.9 * fit
    let free = (1 - fit) / 2
    let map =
      Homography.affine(
        degrees: 0,
        shift: (
          width > height ? 0 : spread(u[9], free * w), width < height ? 0 : spread(u[10], free * h)
        ),
        scale: smallest + u[11] * (fit - smallest), width: width, height: height)
      * .scaling(Double(size) / w, Double(size) / h)
    return u[0] < 0.7 ? map * perspective(Array(u[1..<9]), 0.2, size, size) : map
  }
}
