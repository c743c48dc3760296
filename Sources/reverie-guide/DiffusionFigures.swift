import Diffusion
import Foundation
import Imaging
import Models
import Painting
import Torch

/// Diffusion: from noise to a picture, how strongly a text is followed, and how the steps are spread.
struct DiffusionFigures {
  let workshop: Workshop

  private let prompt = "a whale on a light blue background"

  var all: [Figure] {
    [
      Figure("diffusion-steps", sheet: steps), Figure("diffusion-scale", sheet: scales),
      Figure("diffusion-schedules", drawing: schedules),
    ]
  }

  /// What is there at some of the steps, and what the network takes it to be.
  private func steps() async throws -> ContactSheet {
    let way = try workshop.noiseToPicture()
    let count = workshop.steps(24)
    let found = try way([(workshop.embedding(of: prompt), 2)], seed: 3, steps: count)
    let moments = [0, 4, 8, 12, 16, 20, 23]
    let shown = moments.map { found.way[min($0 * count / 24, count - 1)] }
    let cells =
      try shown.map(\.x).map { ContactSheet.Cell(try way.shown($0)) }
      + shown.map(\.x0).map { ContactSheet.Cell(try way.shown($0)) }
    return ContactSheet(
      cells, columns: moments.count, columnLabels: moments.map { $0 == 0 ? "step 1" : "\($0 + 1)" },
      rowLabels: ["what is there", "what the network takes it for"], cellSize: 96, captionSize: 12)
  }

  /// The same noise, with the text followed more and more strongly.
  private func scales() async throws -> ContactSheet {
    let way = try workshop.noiseToPicture()
    let told = workshop.embedding(of: "a pineapple on a pink background")
    let scales = [0, 0.5, 1, 1.5, 2, 4, 8]
    let cells = try [5, 6].flatMap { seed in
      try scales.map { scale in
        let end = try way([(told, scale)], seed: UInt64(seed), steps: workshop.steps(25)).end
        return ContactSheet.Cell(try way.shown(end))
      }
    }
    return ContactSheet(
      cells, columns: scales.count,
      columnLabels: scales.map { $0 == 0 ? "scale 0" : String(format: "%g", $0) },
      cellSize: 96, captionSize: 12)
  }

  /// How much noise is left after each step, by the four schedules that the program knows.
  private func schedules() async throws -> Drawing {
    var drawing = Drawing(
      width: 640, height: 330, title: "How much noise is left on the way, by four schedules")
    let axes = Axes(x: 0...1, y: 0...1, left: 56, top: 36, width: 400, height: 230)
    axes.draw(
      onto: &drawing, x: [0, 0.25, 0.5, 0.75, 1], "share of the steps", y: [0, 0.25, 0.5, 0.75, 1],
      "noise (sigma)")
    let count = 100
    for (row, (schedule, ink)) in zip(ContinuousSchedule.allCases, [Drawing.Ink.a, .b, .c, .d])
      .enumerated()
    {
      let levels = schedule.levels(count)
      axes.curve(
        levels.enumerated().map { (Double($0) / Double(count), $1.sigma) }, onto: &drawing, ink)
      let y = 70 + Double(row) * 26
      drawing.line([(484, y), (510, y)], ink, width: 2)
      drawing.text(schedule.rawValue, 518, y + 5, mono: true)
    }
    return drawing
  }
}
