import ArgumentParser
import Commands
import Foundation
import Painting
import Torch

/// One painting, or the cells of one grid.
struct Work {
  /// One, or as many as the grid has.
  var cells: [Grid.Cell]
  /// Number of pictures.
  var count: Int
  /// What is said of it.
  var title: String
  /// Whether its pictures are called as the one that it begins from.
  var keepsName: Bool
  /// Its number in the list.
  var number = 1
}

/// Makes of what was typed what can be painted: presets, chance and the method's defaults filled in.
struct Maker {
  let grid: Grid
  let presets: [String]
  let library: PresetLibrary
  let resolver: Resolver
  let alternatives: Alternatives
  let device: Device
  let output: OutputOptions

  /// - Parameters:
  ///   - count: number of pictures.
  ///   - isFirst: whether notes are said.
  func works(_ entry: RequestList.Entry, count: Int, isFirst: Bool) throws -> [Work] {
    var base = entry.arguments
    if let picture = entry.startPicture { base = try base.beginning(from: picture) }
    let names = presets + entry.presets
    var parts = [(base, count)]
    if grid.axes.isEmpty, count > 1, base.leavesToChance {
      // Each draws its own: they are of one seed after the other.
      let first = base.request.seed ?? Int.random(in: 0..<(1 << 32))
      guard first <= Seed.range.upperBound - (count - 1) else {
        throw RequestError.badValue(field: "seed", reason: "is too large for \(count) pictures")
      }
      parts = try (0..<count).map { (try base.drawn(alternatives, seed: first + $0), 1) }
    }
    return try parts.enumerated().map { index, part in
      let cells = try cells(part.0, names, count: part.1, isFirst: isFirst && index == 0)
      return Work(
        cells: cells, count: part.1,
        title: entry.startPicture ?? String(cells[0].request.title.prefix(60)),
        keepsName: entry.startPicture != nil)
    }
  }

  private func cells(
    _ base: RequestArguments, _ names: [String], count: Int, isFirst: Bool
  ) throws -> [Grid.Cell] {
    var cells: [Grid.Cell] = []
    for values in grid.combinations {
      var arguments = base
      var names = names
      for (axis, value) in zip(grid.axes, values) {
        if axis.name == "preset" {
          names.append(value)
        } else {
          try axis.set(value, in: &arguments)
        }
      }
      guard arguments.startPictures.isEmpty else {
        throw ValidationError("--grid takes pictures to begin from, not folders of them.")
      }
      if arguments.leavesToChance {
        let seed =
          arguments.request.seed ?? cells.first?.request.seed ?? Int.random(in: 0..<(1 << 32))
        arguments = try arguments.drawn(alternatives, seed: seed)
      }
      try arguments.request.validate(in: .builtIn)
      let chosen = try library.presets(names.filter { $0 != "none" })
      let says = isFirst && cells.isEmpty && !output.quiet
      if says { try note(chosen, arguments.request) }
      let wanted = try arguments.request.with(chosen, resolver)
      if says {
        for remark in try resolver.remarks(
          on: wanted, asked: arguments.request, arguments.files)
        {
          Console.say("Note: \(remark)")
        }
      }
      var request = try resolver.resolve(wanted, count: count, device: device)
      // Without a seed of their own all have the first one's.
      if let first = cells.first, arguments.request.seed == nil {
        request.seed = first.request.seed
      }
      try output.check(request)
      cells.append(Grid.Cell(request: request, files: arguments.files, values: values))
    }
    return cells
  }

  private func note(_ presets: [Preset], _ request: Request) throws {
    let idle = try request.hasLargeCLIP(presets) ? [] : presets.filter(\.wantsLargeCLIP)
    for preset in idle {
      Console.say(
        "Note: the pack's own CLIP makes little of '\(preset.name)'; install a larger one and name it "
          + "with --clip.")
    }
  }
}
