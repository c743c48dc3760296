import Imaging
import Torch

/// Sample sheets of a training.
enum Sheet {
  /// Pictures `[B, 3, H, W]` in 0…1 in rows of `columns`.
  static func grid(_ x: Tensor, columns: Int = 12) throws -> Picture {
    let (count, h, w) = (x.size(0), x.size(2), x.size(3))
    let rows = (count + columns - 1) / columns
    let blanks = Tensor.ones([rows * columns - count, 3, h, w])
    let all = concatenated([x.to(.float32).to(.cpu), blanks], over: 0)
      .reshaped(rows, columns, 3, h, w).permuted(2, 0, 3, 1, 4)  // [3, rows, H, columns, W]
    return try Picture(all.reshaped(1, 3, rows * h, columns * w))
  }

  /// The first examples of a set with their captions.
  static func captioned(_ set: any CaptionedDataset, count: Int, columns: Int = 12) throws
    -> Picture
  {
    let cells = try (0..<min(count, set.count ?? count)).map { index in
      let example = try set.example(index)
      return ContactSheet.Cell(example.picture, caption: example.caption)
    }
    return try ContactSheet(cells, columns: columns, cellSize: 128).render()
  }

  /// Each picture of `x` above the one of `y` in its place.
  static func pairs(_ x: Tensor, _ y: Tensor, columns: Int = 12) throws -> Picture {
    try grid(concatenated([x, y], over: 2), columns: columns)
  }
}
