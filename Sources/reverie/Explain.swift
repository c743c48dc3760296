import ArgumentParser
import Commands
import Foundation
import Imaging
import Painting

/// `reverie explain [NAME]`: what there is to choose among, from the declarations; of a picture, how it came
/// about.
struct Explain: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Explains methods, objectives, filters, all else that has a name, and pictures.",
    discussion: """
      Without a name everything is listed. A picture that Reverie painted is painted once more, while it is \
      recorded how it comes about: the picture on the way, what CLIP saw of it, candidates, the loss. That \
      becomes a page beside the picture, which needs nothing else.

      EXAMPLES
        reverie explain
        reverie explain methods
        reverie explain palette
        reverie explain cut-power
        reverie explain outputs/20260901/143052-a-fox-7.png
      """)

  @Argument(help: "A part, a parameter, a kind of parts as in 'filters', or a picture.")
  var name: String?

  @OptionGroup(title: "Of a picture")
  var picture: PictureExplanation

  func run() async throws {
    guard let name else {
      print(Chapter.all.map(\.list).joined(separator: "\n\n"))
      return
    }
    if PictureExplanation.isPicture(name) { return try await picture.explain(name) }
    print(try Self.text(about: name))
  }

  /// What is known by this name.
  /// - Throws: `ValidationError` with the nearest name when that is nothing.
  static func text(about name: String) throws -> String {
    let flag = String(name.drop { $0 == "-" })
    var found: [String] = []
    for chapter in Chapter.all {
      if chapter.titles.contains(flag) { found.append(chapter.list) }
      found += chapter.topics.filter { $0.names.contains(name) }.map { $0.page(chapter) }
    }
    found += Request.parameters.filter { [$0.name, $0.flag].contains(flag) }.map {
      ParameterHelp.row(("--\($0.flag)", $0.fullHelp())) + "\n"
        + ParameterHelp.row(
          (
            "",
            "Of "
              + Registry.builtIn.methods(taking: $0.name).map(\.rawValue).joined(separator: ", ")
              + "."
          ))
    }
    if flag == "size" { found.append(ParameterHelp.size) }
    if let preset = try? PresetsCommand.page(flag) { found.append(preset) }
    if !found.isEmpty { return found.joined(separator: "\n\n") }
    let names =
      Chapter.all.flatMap { $0.titles + $0.topics.flatMap(\.names) }
      + Request.parameters.map(\.flag) + ["size"]
    throw ValidationError(
      "There is nothing named '\(name.prefix(40))'"
        + (nearestName(to: name, among: names).map { ". Did you mean '\($0)'?" }
          ?? ". See: reverie explain"))
  }
}

extension Registry {
  /// The name of a method that does all that guidance can, for examples.
  static var guiding: String { builtIn.filmMethod?.id.rawValue ?? Method.ID.auto.rawValue }
}

/// One thing that has a name.
struct Topic {
  let name: String
  /// What else it is called.
  var aliases: [String] = []
  let help: String
  var arguments: [PartArgument] = []
  /// Lines under the help.
  var notes: [String] = []
  /// How it stands on a command line.
  let option: String

  var names: [String] { [name] + aliases }

  /// The help as a sentence.
  var sentence: String { help.prefix(1).uppercased() + help.dropFirst() + "." }

  /// A command that uses it.
  var example: String { "reverie \"a red fox\" \(option)" }

  /// All that is known about it.
  func page(_ chapter: Chapter) -> String {
    var parts = ["\(name), \(chapter.article)\n\n" + ParameterHelp.wrapped(sentence)]
    if !notes.isEmpty { parts.append(notes.map(ParameterHelp.wrapped).joined(separator: "\n")) }
    if !arguments.isEmpty {
      parts.append(
        "ARGUMENTS:\n" + ParameterHelp.arguments(arguments, flags: chapter.argumentsAreOptions))
    }
    if arguments.contains(where: { $0.name == "colors" }) { parts.append(Self.palettes) }
    parts.append("EXAMPLE:\n  \(example)")
    return parts.joined(separator: "\n\n")
  }

  private static let palettes = """
    PALETTES:
      red                       16 steps from black to red
      navy->orange->white\\8     8 steps from navy through orange to white
      [black,#f80,(255+204+51)] these three colours
      [black,white]\\5           5 steps through the colours of the list
      red;[white]               one after the other
    """
}

/// Everything of one kind.
struct Chapter {
  /// What it is called: 'methods', 'method'.
  let titles: [String]
  /// What one of it is: 'a method'.
  let article: String
  let topics: [Topic]
  /// Whether arguments are options of the command line.
  var argumentsAreOptions = false

  var list: String {
    titles[0].uppercased() + ":\n"
      + topics.map { ParameterHelp.row(($0.name, $0.sentence)) }.joined(separator: "\n")
  }

  static var all: [Chapter] {
    [methods, objectives, filters, cutouts, augmentations, optimizers, starts]
  }

  private static var methods: Chapter {
    let auto = Topic(
      name: Method.ID.auto.rawValue,
      help: "Whichever makes the best picture with the networks at hand",
      notes: Registry.builtIn.methods.compactMap { method in
        method.preference.map { ($0.order, "\(method.id): \($0.reason).") }
      }.sorted { $0.0 < $1.0 }.map(\.1), option: "--method auto")
    let topics = Registry.builtIn.methods.map { method -> Topic in
      var notes = method.components.map { slot in
        let places = [
          slot.takesPacks ? "the pack's" : nil,
          slot.takesInstalled ? "an installed one (reverie models list --known)" : nil,
        ].compactMap(\.self)
        return "It draws with a \(slot.title): \(places.joined(separator: ", or "))."
      }
      let defaults = method.defaults.sorted { $0.key < $1.key }
      if !defaults.isEmpty {
        notes.append(
          "Unless told otherwise: "
            + defaults.map { "--\(flagName(of: $0.key)) \($0.value.text)" }.joined(separator: ", ")
            + ".")
      }
      let extra = method.arguments.lazy.compactMap { argument in
        Self.example(of: argument).map { " --\(flagName(of: argument.name)) \($0)" }
      }.first
      return Topic(
        name: method.id.rawValue, help: method.help, arguments: method.arguments, notes: notes,
        option: "--method \(method.id)\(extra ?? "")")
    }
    return Chapter(
      titles: ["methods", "method"], article: "a method", topics: [auto] + topics,
      argumentsAreOptions: true)
  }

  private static var objectives: Chapter {
    Chapter(
      titles: ["objectives", "objective"], article: "an objective",
      topics: Registry.builtIn.objectives.map {
        part(.objective, $0.name, $0.help, $0.arguments)
      })
  }

  private static var filters: Chapter {
    Chapter(
      titles: ["filters", "filter"], article: "a filter",
      topics: Registry.builtIn.filters.map { part(.filter, $0.name, $0.help, $0.arguments) })
  }

  private static func part(
    _ family: PartSpec.Family, _ name: String, _ help: String, _ arguments: [PartArgument]
  ) -> Topic {
    let extra = arguments.lazy.compactMap { argument in
      example(of: argument).map { ",\(argument.name)=\($0)" }
    }.first
    let spec = "\(name)\(family == .objective ? ":0.5" : "")\(extra ?? "")"
    return Topic(
      name: name, help: help, arguments: arguments,
      option: "--\(family.rawValue) \(Console.quoted(spec))")
  }

  private static var cutouts: Chapter {
    Chapter(
      titles: ["cutouts", "cutout", "cut-mode", "cut-modes"], article: "a way of cutting views",
      topics: CutoutMode.allCases.map { mode in
        let usual = mode.augmentations.map(\.rawValue).joined(separator: ", ")
        return Topic(
          name: mode.rawValue, help: mode.help,
          notes: ["Its views are changed by: \(usual.isEmpty ? "nothing" : usual)."],
          option: "--cut-mode \(mode.rawValue)")
      })
  }

  private static var augmentations: Chapter {
    Chapter(
      titles: ["augmentations", "augmentation"], article: "an augmentation of views",
      topics: Augmentation.Kind.allCases.map {
        Topic(
          name: $0.rawValue, aliases: $0.code.map { [$0] } ?? [], help: $0.help,
          notes: $0.code.map { ["Also written \($0)."] } ?? [],
          option: "--augmentations \($0.rawValue):0.5,noise")
      })
  }

  private static var optimizers: Chapter {
    Chapter(
      titles: ["optimizers", "optimizer", "optimisers", "optimiser"], article: "an optimiser",
      topics: OptimizerName.allCases.map {
        Topic(name: $0.rawValue, help: $0.help, option: "--optimizer \($0.rawValue)")
      })
  }

  private static var starts: Chapter {
    Chapter(
      titles: ["starts", "start-pictures", "init-noise"], article: "a picture to begin from",
      topics: StartPicture.allCases.map {
        Topic(name: $0.rawValue, help: $0.help, option: "--init-noise \($0.rawValue)")
      })
  }

  /// A value worth showing; nil when there is none.
  private static func example(of argument: PartArgument) -> String? {
    switch argument.kind {
    case .choice(let words): words.last
    case .file: "picture.png"
    case .text where argument.name == "colors": "[navy,gold]"
    default: argument.default?.text
    }
  }
}
