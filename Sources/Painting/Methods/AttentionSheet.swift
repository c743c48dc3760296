import Imaging
import Torch

/// Which word painted where: the picture, and beside it for each word the picture lit where that word was
/// looked at, as figures of the paper on AttnGAN have it.
struct AttentionSheet {
  /// `[1, 3, S, S]` in 0…1.
  let picture: Tensor
  /// How much of each word each position took, `[T, s, s]`.
  let maps: Tensor
  /// What stands below each.
  let words: [String]

  /// Words on a sheet at most.
  private static let most = 63
  /// How bright a picture is where a word was not looked at.
  private static let dark = 0.15

  func render() throws -> Picture {
    let side = picture.size(3)
    var cells = [ContactSheet.Cell(try Picture(picture[0]))]
    for (index, word) in words.prefix(Self.most).enumerated() {
      let map = maps[index]
      let light = (map / (map.amax() + 1e-12)).reshaped(1, 1, map.size(0), map.size(1))
        .resampled(side, side, .bilinear)
      let lit = picture * (light * (1 - Self.dark) + Self.dark)
      cells.append(.init(try Picture(lit[0]), caption: word))
    }
    return try ContactSheet(cells, cellSize: max(96, min(side, 256)), captionSize: 13).render()
  }
}
