
## Zustellberichte

dsn-from = Mailzustellung
dsn-failed =
    .subject = Ihre Nachricht konnte nicht zugestellt werden
    .opening = Hier ist der Mailserver { $host }. Ihre Nachricht vom { $at } konnte den unten genannten Empfängern nicht zugestellt werden und wird nicht noch einmal versucht. Bei jedem steht, warum, und was sich tun lässt.
dsn-delayed =
    .subject = Ihre Nachricht verspätet sich
    .opening = Hier ist der Mailserver { $host }. Ihre Nachricht vom { $at } hat die unten genannten Empfänger noch nicht erreicht. Sie müssen sie nicht noch einmal senden: Wir versuchen es weiter.
dsn-delivered =
    .subject = Ihre Nachricht wurde zugestellt
    .opening = Hier ist der Mailserver { $host }. Sie wollten es wissen: Ihre Nachricht vom { $at } liegt in den Postfächern der unten genannten Empfänger.
dsn-relayed =
    .subject = Ihre Nachricht wurde weitergegeben
    .opening = Hier ist der Mailserver { $host }. Sie wollten es wissen: Ihre Nachricht vom { $at } wurde den Servern der unten genannten Empfänger übergeben. Diese melden nicht, ob sie ankommt; von hier kommt keine weitere Nachricht.
dsn-expanded =
    .subject = Ihre Nachricht wurde verteilt
    .opening = Hier ist der Mailserver { $host }. Sie wollten es wissen: Ihre Nachricht vom { $at } wurde an alle weitergesandt, für die die unten genannten Adressen stehen.
dsn-closing = Angehängt sind die Einzelheiten für Mailprogramme und Ihre Nachricht oder ihr Kopf.
dsn-remote-said = Der Server { $remote } sagte: { $said }
dsn-said = Die Antwort war: { $said }
dsn-no-answer = Der Server { $remote } gab keine Antwort, die entscheidet.
dsn-next-attempt = Der nächste Versuch kommt { $in } ({ $at }).
dsn-try-until = Wir versuchen es bis { $at } weiter. Gelingt es bis dahin nicht, erfahren Sie es.
dsn-may-be-full = Das Postfach wurde mehrmals nacheinander vorübergehend abgelehnt. Vielleicht ist es voll oder abgeschaltet: Fragen Sie den Empfänger auf anderem Weg, oder lassen Sie Ihren Postmaster „secondpost verify { $recipient }“ ausführen.
