import Imaging
import Models
import Torch

/// What a VQGAN is: a picture as codes, the codebook as a sheet, one code changed.
struct VQGANFigures {
  let workshop: Workshop

  var all: [Figure] {
    [
      Figure("vqgan-codes", drawing: codes), Figure("vqgan-codebook", sheet: codebook),
      Figure("vqgan-change", sheet: change), Figure("vqgan-between", sheet: between),
    ]
  }

  private func subject() async throws -> Picture { try await workshop.picture(of: "a fox") }

  // MARK: There and back

  /// The codes `[1, h, w, levels]` of a picture.
  private func codes(of picture: Picture) -> Tensor {
    noGrad { workshop.vqgan.quantize(workshop.vqgan.encode(picture.tensor() * 2 - 1)).codes }
  }

  private func picture(ofLatent latent: Tensor) throws -> Picture {
    try Picture(noGrad { (workshop.vqgan.decode(latent) + 1) / 2 })
  }

  private func picture(of codes: Tensor) throws -> Picture {
    try picture(ofLatent: workshop.vqgan.lookUp(codes))
  }

  /// The latents of first codes alone, whatever the second ones say: with the mean of these. `[B, D, h, w]`
  private func latent(ofFirst codes: Tensor) -> Tensor {
    let count = workshop.vqgan.config.n_embed
    let first = codes.unsqueezed(-1).equals(Tensor.arange(0..<count)).to(.float32)  // [B, h, w, K]
    let rest = (1..<workshop.vqgan.config.levels).map { _ in
      Tensor.full(first.shape, 1 / Double(count))
    }
    return workshop.vqgan.lookUp(probabilities: stacked([first] + rest, over: 3))
  }

  // MARK: Figures

  /// The picture, a corner of it as the numbers that it is kept as, and what comes back.
  private func codes() async throws -> Drawing {
    let picture = try await subject()
    let codes = codes(of: picture)
    let numbers = codes.ints()
    let (h, w, levels) = (codes.size(1), codes.size(2), codes.size(3))
    let side = 224.0
    var drawing = Drawing(
      width: 800, height: 280,
      title: "A picture, the codes of a part of it, and the picture that they give back")
    let cell = side / Double(w)
    func panel(_ x: Double, _ caption: String) { drawing.text(caption, x, 268, .soft, size: 13) }
    try drawing.picture(picture, 16, 20, side, side)
    // A window of five by five, around the middle.
    let (top, left, window) = (h / 2 - 4, w / 2 - 3, 5)
    drawing.box(
      16 + Double(left) * cell, 20 + Double(top) * cell, Double(window) * cell,
      Double(window) * cell, .b, stroke: 2)
    panel(16, "128 x 128 pixels")
    let (x0, size) = (288.0, side / Double(window))
    for row in 0..<window {
      for column in 0..<window {
        let place = ((top + row) * w + left + column) * levels
        let tile = try picture.cropped(
          x: (left + column) * picture.width / w, y: (top + row) * picture.height / h,
          width: picture.width / w, height: picture.height / h)
        let (x, y) = (x0 + Double(column) * size, 20 + Double(row) * size)
        try drawing.picture(tile.resized(width: 16, height: 16, filter: .nearest), x, y, size, size)
        drawing.box(x + 3, y + 5, size - 6, size - 10, .paper, share: 0.72, round: 3)
        drawing.text(
          "\(numbers[place])", x + size / 2, y + 20, anchor: .middle, size: 12, mono: true)
        if levels > 1 {
          drawing.text(
            "\(numbers[place + 1])", x + size / 2, y + 35, anchor: .middle, size: 12, mono: true)
        }
      }
    }
    drawing.box(x0, 20, side, side, .b, stroke: 2)
    panel(x0, "the codes in the red frame")
    try drawing.picture(self.picture(of: codes), 560, 20, side, side)
    panel(560, "painted from its \(h * w) x \(levels) codes")
    return drawing
  }

  /// What each code of the first codebook looks like where nothing else is, `[K, 3, f, f]`.
  private func tiles() -> Tensor {
    let (count, factor) = (workshop.vqgan.config.n_embed, workshop.vqgan.config.factor)
    let parts = Tensor.arange(0..<count).chunks(16, over: 0).map { codes in
      // The middle of a field of nine.
      let field = latent(ofFirst: codes.reshaped(-1, 1, 1).expanded([codes.size(0), 3, 3]))
      return noGrad { (workshop.vqgan.decode(field) + 1) / 2 }
        .narrowed(2, factor, factor).narrowed(3, factor, factor)
    }
    return concatenated(parts, over: 0)
  }

  /// All codes of the first codebook, from dark to light, so that the eye finds its way.
  private func codebook() async throws -> ContactSheet {
    let tiles = tiles()
    let light = tiles.mean(over: [1, 2, 3]).floats()
    let cells = try light.indices.sorted { light[$0] < light[$1] }.map {
      ContactSheet.Cell(try Picture(tiles[$0]))
    }
    return ContactSheet(cells, columns: 40, cellSize: 2 * workshop.vqgan.config.factor, gap: 2)
  }

  /// One code of the picture exchanged for others.
  private func change() async throws -> ContactSheet {
    let codes = codes(of: try await subject())
    let (h, w) = (codes.size(1), codes.size(2))
    let place = (row: h / 2 - 3, column: w / 2)
    let isHere = Tensor(
      (0..<h * w).map { $0 == place.row * w + place.column ? 1 : 0 } as [Float], [1, h, w, 1]
    ).atLeast(0.5)
    let colors = tiles().mean(over: [2, 3])  // [K, 3]
    func closer(_ picture: Picture) throws -> Picture {
      let (side, factor) = (picture.width / 2, workshop.vqgan.config.factor)
      return try picture.cropped(
        x: place.column * factor + factor / 2 - side / 2,
        y: place.row * factor + factor / 2 - side / 2,
        width: side, height: side
      ).resized(width: 2 * side, height: 2 * side, filter: .nearest)
    }
    let before = try picture(of: codes)
    var framed = before
    let factor = workshop.vqgan.config.factor
    framed.fill(
      x: place.column * factor, y: place.row * factor, width: factor, height: factor,
      color: try Color(parsing: "blue"))
    var cells = [
      ContactSheet.Cell(framed, caption: "one of 256 places"),
      ContactSheet.Cell(try closer(before), caption: "there, closer"),
    ]
    for (name, color) in [
      ("blue", [0, 0.3, 1]), ("green", [0.1, 0.7, 0.1]), ("white", [1, 1, 1]),
      ("yellow", [1, 0.9, 0.1]),
    ] as [(String, [Float])] {
      let distance = (colors - Tensor(color, [1, 3])).square().sum(over: [1])
      let code = distance.argmin(over: 0).ints()[0]
      let first = isHere.choose(Tensor.full(codes.shape, Double(code), .int64), codes)
      // The second code only refines the first one: it stays.
      let changed = concatenated(
        [first.narrowed(3, 0, 1), codes.narrowed(3, 1, codes.size(3) - 1)], over: 3)
      cells.append(
        .init(try closer(try picture(of: changed)), caption: "code \(code), a \(name) one"))
    }
    return ContactSheet(cells, columns: 6, cellSize: 128, captionSize: 12)
  }

  /// The way from one picture to another: through pixels, and through the latents that the codes stand for.
  private func between() async throws -> ContactSheet {
    let (first, second) = (try await subject(), try await workshop.picture(of: "a cactus"))
    let latents = noGrad {
      [first, second].map { workshop.vqgan.encode($0.tensor() * 2 - 1) }
    }
    let shares = [0, 0.25, 0.5, 0.75, 1]
    let pixels = try shares.map {
      ContactSheet.Cell(try Picture(first.tensor() * (1 - $0) + second.tensor() * $0))
    }
    let codes = try shares.map { share in
      let (quantized, _) = noGrad {
        workshop.vqgan.quantize(latents[0] * (1 - share) + latents[1] * share)
      }
      return ContactSheet.Cell(try picture(ofLatent: quantized))
    }
    return ContactSheet(
      pixels + codes, columns: shares.count, rowLabels: ["pixels mixed", "codes between"],
      cellSize: 112,
      captionSize: 12)
  }
}
