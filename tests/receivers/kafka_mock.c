/* kafka_mock.c - librdkafka's mock cluster as a program, with faults by a script.
 *
 *   kafka_mock BROKERS TOPIC PARTITIONS <commands
 *
 * Prints the brokers' addresses in one line, then does what stdin says, a command a line, until it ends:
 *   sleep MS             down BROKER          up BROKER          rtt BROKER MS        leader PARTITION BROKER
 *   error API CODE N     the next N requests of this kind (Produce is 0) are answered with this error code of Kafka's protocol
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int command(rd_kafka_mock_cluster_t *m, const char *topic, const char *line)
{
	rd_kafka_resp_err_t list[64];
	char verb[16];
	int a = 0, b = 0, n = 0;

	if (sscanf(line, "%15s %d %d %d", verb, &a, &b, &n) < 2)
		return -1;
	if (!strcmp(verb, "sleep"))
		return usleep((useconds_t)a * 1000);
	if (!strcmp(verb, "down"))
		return (int)rd_kafka_mock_broker_set_down(m, a);
	if (!strcmp(verb, "up"))
		return (int)rd_kafka_mock_broker_set_up(m, a);
	if (!strcmp(verb, "rtt"))
		return (int)rd_kafka_mock_broker_set_rtt(m, a, b);
	if (!strcmp(verb, "leader"))
		return (int)rd_kafka_mock_partition_set_leader(m, topic, a, b);
	if (strcmp(verb, "error") != 0 || n > 64)
		return -1;
	for (int i = 0; i < n; i++)
		list[i] = (rd_kafka_resp_err_t)b;
	rd_kafka_mock_push_request_errors_array(m, (int16_t)a, (size_t)n, list);
	return 0;
}

int main(int argc, char **argv)
{
	rd_kafka_mock_cluster_t *m;
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char line[200], why[200];
	rd_kafka_t *rk;

	if (argc != 4)
		return 3;
	rd_kafka_conf_set(conf, "log_level", "3", NULL, 0);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
	m = rk ? rd_kafka_mock_cluster_new(rk, atoi(argv[1])) : NULL;
	if (!m || rd_kafka_mock_topic_create(m, argv[2], atoi(argv[3]), 1) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return 4;
	printf("%s\n", rd_kafka_mock_cluster_bootstraps(m));
	(void)fflush(stdout);
	while (fgets(line, sizeof line, stdin))
		if (command(m, argv[2], line) != 0)
			(void)fprintf(stderr, "kafka_mock: failed: %s", line);
	rd_kafka_mock_cluster_destroy(m);
	rd_kafka_destroy(rk);
	return 0;
}
